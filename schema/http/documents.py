"""GraphQL documents, parsed and validated once and then cached, and the limits of the operations in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, cast

from cachetools import LRUCache
from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
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
from graphql.validation.validate import ValidationAbortedError  # private API of graphql-core
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule  # private API of Strawberry
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from schema.fields import RIGHT
from schema.http.cost import CostCalculator, operation_of
from schema.http.errors import no_such_operation, too_costly, unreadable_literal
from services.access import Right

RULES = (
    *(rule for rule in specified_rules if rule is not OverlappingFieldsCanBeMergedRule),
    MaybeNullValidationRule,
    OneOfInputValidationRule,
)

MAX_COMPARISONS = 50_000
"""Comparisons of fields with fields of the same name in one document: a fifth of a second.

The default of graphql-core is ten times that and blocks the process for two seconds; an ordinary document needs some
hundreds.
"""

MAX_ERRORS = 20
"""Validation errors of one document: each may quote a part of it, and finding the next costs time."""

MAX_CHARACTERS = 1 << 19
"""Length of all cached documents together: their trees take up to 200 bytes a character."""

MAX_DOCUMENTS = 1000
"""Number of cached documents."""


@dataclass(frozen=True, slots=True)
class OperationLimits:
    """Limits of one operation: calls to the site, depth, aliases, and tokens of its document."""

    upstream_calls: int
    depth: int
    aliases: int
    tokens: int


@dataclass(slots=True)
class PreparedDocument:
    """A parsed document and its validation errors; without a document where the text can't be parsed."""

    text: str
    document: DocumentNode | None
    errors: list[GraphQLError] = field(default_factory=list)
    rights: dict[str | None, frozenset[Right]] = field(default_factory=dict)
    """Of the operations that were requested so far, by name; see `Documents.rights_of`."""

    @property
    def weight(self) -> int:
        """Its part of `MAX_CHARACTERS`."""
        return min(max(len(self.text), MAX_CHARACTERS // MAX_DOCUMENTS), MAX_CHARACTERS)

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """The operation of this name, or the only one; None without exactly one."""
        return None if self.document is None else operation_of(self.document, name)

    def is_mutation(self, operation_name: str | None) -> bool:
        """Whether this operation is one that changes state."""
        operation = self.operation(operation_name)
        return operation is not None and operation.operation is OperationType.MUTATION


class Documents:
    """The most recently used documents, by their text; `list_details` when lists look up every album."""

    def __init__(self, limits: OperationLimits, *, list_details: bool = False) -> None:
        self.limits = limits
        self._list_details = list_details
        self._prepared: LRUCache[str, PreparedDocument] = LRUCache(MAX_CHARACTERS, getsizeof=attrgetter("weight"))
        self._schema: GraphQLSchema | None = None
        self._cost_of: CostCalculator | None = None

    def bind(self, schema: GraphQLSchema) -> None:
        """Set the schema that documents are validated against; it is built with an extension that needs `self`."""
        self._schema = schema
        self._cost_of = CostCalculator(schema, list_details=self._list_details)

    def prepare(self, text: str) -> PreparedDocument:
        """The document of this text, parsed and validated."""
        if (prepared := self._prepared.get(text)) is None:
            self._prepared[text] = prepared = self._parse(text)
        return prepared

    def operation_error(
        self, prepared: PreparedDocument, operation_name: str | None, variables: Mapping[str, Any] | None
    ) -> GraphQLError | None:
        """Why an operation may not run with these variables: it is not named, or over a limit. None when it may."""
        if prepared.document is None or self._cost_of is None:
            return None
        operation = prepared.operation(operation_name)
        if operation is None:
            return no_such_operation()
        cost = self._cost_of(prepared.document, operation, variables)
        for measure, value, limit in (
            ("depth", cost.depth, self.limits.depth),
            ("aliases", cost.aliases, self.limits.aliases),
            ("upstream calls", cost.upstream_calls, self.limits.upstream_calls),
        ):
            if value > limit:
                return too_costly(measure, value, limit)
        return None

    def rights_of(self, prepared: PreparedDocument, operation_name: str | None) -> frozenset[Right]:
        """What an operation needs of its caller: the rights of its root fields, those of fragments and those that
        directives leave out among them. READ for what can't be parsed.
        """
        if (rights := prepared.rights.get(operation_name)) is None:
            rights = frozenset(self._rights(prepared, operation_name)) or frozenset({Right.READ})
            prepared.rights[operation_name] = rights
        return rights

    def _rights(self, prepared: PreparedDocument, operation_name: str | None) -> Iterator[Right]:
        operation = prepared.operation(operation_name)
        if prepared.document is None or operation is None or self._schema is None:
            return
        root = self._schema.get_root_type(operation.operation)
        default = Right.CHANGE if operation.operation is OperationType.MUTATION else Right.READ
        for name in _root_fields(prepared.document, operation.selection_set):
            yield Right.PUBLIC if name == "__typename" else _right_of(root, name) or default

    def _parse(self, text: str) -> PreparedDocument:
        if self._schema is None:
            raise RuntimeError("bind() was not called")
        try:
            document = parse(text, max_tokens=self.limits.tokens)
        except GraphQLSyntaxError as error:
            return PreparedDocument(text, None, [self._syntax_error(error, text)])
        return PreparedDocument(text, document, self._validated(self._schema, document))

    def _validated(self, schema: GraphQLSchema, document: DocumentNode) -> list[GraphQLError]:
        overlaps: list[OverlappingFieldsCanBeMergedRule] = []

        def overlap(context: ValidationContext) -> OverlappingFieldsCanBeMergedRule:
            overlaps.append(OverlappingFieldsCanBeMergedRule(context))
            overlaps[-1].rule_context.remaining_complexity_budget = MAX_COMPARISONS  # private API of graphql-core
            return overlaps[-1]

        rules = cast("tuple[type[ASTValidationRule], ...]", (*RULES, overlap))
        errors = validate(schema, document, rules, max_errors=MAX_ERRORS)
        if len(errors) == 1 and isinstance(errors[0], ValidationAbortedError):
            if overlaps[0].rule_context.remaining_complexity_budget < 0:
                return [too_costly("comparisons of fields", MAX_COMPARISONS + 1, MAX_COMPARISONS)]
            return [too_costly("depth", MAX_NESTING_DEPTH + 1, self.limits.depth)]
        return [unreadable_literal(error) if error.original_error else error for error in errors]

    def _syntax_error(self, error: GraphQLSyntaxError, text: str) -> GraphQLError:
        if "nested too deeply" in error.message:
            return too_costly("depth", sum(map(text.count, "{[(")), self.limits.depth)
        if "tokens. Parsing aborted" in error.message:
            return too_costly("tokens", self.limits.tokens + 1, self.limits.tokens)
        return error


def _root_fields(document: DocumentNode, selected: SelectionSetNode) -> Iterator[str]:
    """Names of the fields that are selected here, in fragments too; each fragment is looked at once."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    waiting = [selected]
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FieldNode):
                yield selection.name.value
            elif isinstance(selection, FragmentSpreadNode):
                fragment = fragments.pop(selection.name.value, None)
                waiting += [fragment.selection_set] if fragment else []
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)


def _right_of(root: GraphQLObjectType | None, name: str) -> Right | None:
    """The right that a root field was declared with; None for the default of its type."""
    declared = root.fields.get(name) if root else None
    definition = declared.extensions.get("strawberry-definition") if declared else None  # private API of Strawberry
    right: Right | None = definition.metadata.get(RIGHT) if definition else None
    return right
