"""Documents: parsed, validated and weighed once, then kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    OverlappingFieldsCanBeMergedRule,
    SelectionSetNode,
    ValidationContext,
    parse,
    specified_rules,
    validate,
)
from graphql.language.parser import MAX_NESTING_DEPTH
from graphql.validation.validate import ValidationAbortedError
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from schema.http.cost import CostCounter, operation_of
from schema.http.errors import no_such_operation, too_costly, unreadable_value

RULES = (
    *(rule for rule in specified_rules if rule is not OverlappingFieldsCanBeMergedRule),
    MaybeNullValidationRule,
    OneOfInputValidationRule,
)

MOST_COMPARISONS = 50_000
"""Of fields with fields of the same name, a fifth of a second. GraphQL's own half a million takes two, while which
nobody else is answered; an honest document needs some hundreds.
"""

MOST_ERRORS = 20
"""Told of one document: each may quote a part of it, and finding the next costs time."""

MOST_CHARACTERS = 1 << 19
"""Of all documents kept: their trees take up to 200 bytes a character."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one operation; `budget` counts calls to the site."""

    budget: int
    depth: int
    aliases: int
    tokens: int


@dataclass(slots=True)
class Prepared:
    """A document ready to run, or what is wrong with it."""

    document: DocumentNode | None
    errors: list[GraphQLError] = field(default_factory=list)

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """The operation of this name, or the only one; None when it can't be told."""
        return None if self.document is None else operation_of(self.document, name)


class Documents:
    """Keeps the newest documents by their text; weighs an operation with its variables each time."""

    def __init__(self, limits: Limits, *, list_details: bool = False, keep: int = 1000) -> None:
        self.limits = limits
        self._list_details = list_details
        self._keep = keep
        self._prepared: OrderedDict[str, Prepared] = OrderedDict()
        self._characters = 0
        self._schema: GraphQLSchema | None = None
        self._counter: CostCounter | None = None

    def bind(self, schema: GraphQLSchema) -> None:
        """Tell the schema that documents are checked against."""
        self._schema = schema
        self._counter = CostCounter(schema, list_details=self._list_details)

    def prepare(self, text: str) -> Prepared:
        """The document of this text, from memory where it was seen before."""
        if (known := self._prepared.get(text)) is not None:
            self._prepared.move_to_end(text)
            return known
        prepared = self._read(text)
        self._prepared[text] = prepared
        self._characters += len(text)
        while len(self._prepared) > 1 and (len(self._prepared) > self._keep or self._characters > MOST_CHARACTERS):
            self._characters -= len(self._prepared.popitem(last=False)[0])
        return prepared

    def _read(self, text: str) -> Prepared:
        if self._schema is None:
            raise RuntimeError("no schema is bound")
        try:
            document = parse(text, max_tokens=self.limits.tokens)
        except GraphQLSyntaxError as error:
            return Prepared(None, [self._syntax_error(error, text)])
        return Prepared(document, self._validated(self._schema, document))

    def _validated(self, schema: GraphQLSchema, document: DocumentNode) -> list[GraphQLError]:
        overlaps: list[OverlappingFieldsCanBeMergedRule] = []

        def overlap(context: ValidationContext) -> OverlappingFieldsCanBeMergedRule:
            overlaps.append(OverlappingFieldsCanBeMergedRule(context))
            overlaps[-1].rule_context.remaining_complexity_budget = MOST_COMPARISONS
            return overlaps[-1]

        rules = cast("tuple[type[ASTValidationRule], ...]", (*RULES, overlap))
        errors = validate(schema, document, rules, max_errors=MOST_ERRORS)
        if len(errors) == 1 and isinstance(errors[0], ValidationAbortedError):
            if overlaps[0].rule_context.remaining_complexity_budget < 0:
                return [too_costly("comparisons of fields", MOST_COMPARISONS + 1, MOST_COMPARISONS)]
            return [too_costly("depth", MAX_NESTING_DEPTH + 1, self.limits.depth)]
        return [unreadable_value(error) if error.original_error else error for error in errors]

    def _syntax_error(self, error: GraphQLSyntaxError, text: str) -> GraphQLError:
        if "nested too deeply" in error.message:
            return too_costly("depth", sum(map(text.count, "{[(")), self.limits.depth)
        if "tokens. Parsing aborted" in error.message:
            return too_costly("tokens", self.limits.tokens + 1, self.limits.tokens)
        return error

    def refusal(
        self, prepared: Prepared, operation_name: str | None, variables: Mapping[str, Any] | None
    ) -> GraphQLError | None:
        """Why this operation may not run: none or several of its name, over a limit; None when it may."""
        if prepared.document is None or self._counter is None:
            return None
        operation = prepared.operation(operation_name)
        if operation is None:
            return no_such_operation()
        cost = self._counter.count(prepared.document, operation, variables)
        for measure, value, limit in (
            ("depth", cost.depth, self.limits.depth),
            ("aliases", cost.aliases, self.limits.aliases),
            ("upstream calls", cost.upstream_calls, self.limits.budget),
        ):
            if value > limit:
                return too_costly(measure, value, limit)
        return None


class PreparedDocuments(SchemaExtension):
    """Lets Strawberry use the documents kept here instead of parsing and validating again."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def on_parse(self) -> Iterator[None]:
        """Hand over the parsed document; an empty query is left to Strawberry to refuse."""
        context = self.execution_context
        if context.query:
            prepared = self._documents.prepare(context.query)
            context.graphql_document = prepared.document or _stand_in(context._provided_operation_name)
        yield

    def on_validate(self) -> Iterator[None]:
        """Hand over what validation said, then weigh the operation."""
        context = self.execution_context
        prepared = self._documents.prepare(context.query or "")
        refusal = None
        if not prepared.errors:
            refusal = self._documents.refusal(prepared, context._provided_operation_name, context.variables)
        context.pre_execution_errors = [refusal] if refusal else list(prepared.errors)
        yield


def _stand_in(operation_name: str | None) -> DocumentNode:
    """For a text that is no document. It never runs, since validation tells what is wrong with the text; raised
    while parsing, that would end a stream without a word.
    """
    name = NameNode(value=operation_name) if operation_name else None
    nothing = SelectionSetNode(selections=())
    operation = OperationDefinitionNode(operation=OperationType.QUERY, name=name, selection_set=nothing)
    return DocumentNode(definitions=(operation,))
