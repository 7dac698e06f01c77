"""What an operation may cost at most, told from its text and variables before anything is fetched.

Depth and aliases are plain counts. The cost is the number of calls to the site in the worst case: each root
that reads the site is one, and each album of a list whose detail some field needs is one more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
    value_from_ast_untyped,
)

PAGE_SIZE = 80
"""Albums on a page of the site's lists."""

TYPICAL_TAGS = 12
TYPICAL_CHAPTERS = 10
TYPICAL_RELATED = 10
TYPICAL_ALTERNATIVES = 3
"""Lengths of lists that only the answer tells; a budget wants a guess that is rarely too low."""

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cost:
    """Worst case of one operation."""

    upstream_calls: int
    depth: int
    aliases: int


@dataclass(frozen=True, slots=True)
class _Rule:
    """Calls that a field makes itself, and how often what it selects is resolved."""

    calls: int = 0
    times: Callable[[Arguments], int] = lambda _: 1
    loads_album: bool = False
    """True when the albums or chapters below come with their details; the calls are then for each of them."""


def _count_of(argument: str) -> Callable[[Arguments], int]:
    def times(arguments: Arguments) -> int:
        value = arguments.get(argument)
        return len(value) if isinstance(value, list) else 1

    return times


def _first(default: int) -> Callable[[Arguments], int]:
    def times(arguments: Arguments) -> int:
        value = arguments.get("first", default)
        return max(0, min(value, 100)) if isinstance(value, int) else default

    return times


def _always(number: int) -> Callable[[Arguments], int]:
    return lambda _: number


_RULES: dict[tuple[str, str], _Rule] = {
    ("Query", "album"): _Rule(calls=1, loads_album=True),
    ("Query", "albums"): _Rule(calls=1, times=_count_of("ids"), loads_album=True),
    ("Query", "chapter"): _Rule(calls=2, loads_album=True),
    ("Query", "search"): _Rule(calls=1),
    ("Query", "ranking"): _Rule(calls=1),
    ("Query", "translateTags"): _Rule(times=_count_of("names")),
    ("Query", "tags"): _Rule(times=_first(20)),
    ("Query", "downloads"): _Rule(times=_first(20)),
    ("Mutation", "startDownload"): _Rule(calls=1),
    ("Mutation", "retryFailedDownloads"): _Rule(times=_always(20)),
    ("AlbumPage", "items"): _Rule(times=_always(PAGE_SIZE)),
    ("Ranking", "entries"): _Rule(times=_always(PAGE_SIZE)),
    ("Album", "related"): _Rule(times=_always(TYPICAL_RELATED)),
    ("Album", "chapters"): _Rule(times=_always(TYPICAL_CHAPTERS)),
    ("Album", "comments"): _Rule(calls=1),
    ("Album", "downloads"): _Rule(times=_always(3)),
    ("Album", "tags"): _Rule(times=_always(TYPICAL_TAGS)),
    ("Album", "works"): _Rule(times=_always(2)),
    ("Album", "characters"): _Rule(times=_always(4)),
    ("Album", "authors"): _Rule(times=_always(2)),
    ("AlbumTag", "albums"): _Rule(calls=1),
    ("AlbumTag", "alternatives"): _Rule(times=_always(TYPICAL_ALTERNATIVES)),
    ("Tag", "albums"): _Rule(calls=1),
    ("Download", "album"): _Rule(calls=1, loads_album=True),
}

_JUDGED_LISTS = frozenset({("Query", "search"), ("Query", "ranking"), ("AlbumTag", "albums"), ("Tag", "albums")})
"""Lists that look up every album first, in strict policy or where something is excluded."""

_FREE_ALBUM_FIELDS = frozenset({"id", "title", "cover", "url", "downloads", "comments", "__typename"})
"""Fields of Album that need no detail of it."""

_CHAPTER_PAGES = frozenset({"pageCount", "pages"})
"""Fields of Chapter that need its own detail."""


class CostCounter:
    """Counts operations of one schema; `list_details` when lists look up every album (strict policy)."""

    def __init__(self, schema: GraphQLSchema, *, list_details: bool = False) -> None:
        self._schema = schema
        self._list_details = list_details

    def count(
        self, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any] | None
    ) -> Cost:
        """The worst case of this operation with these variables."""
        fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        walk = _Walk(self._schema, fragments, _with_defaults(operation, variables), self._list_details)
        root = self._schema.get_root_type(operation.operation)
        if root is None:
            return Cost(0, 0, 0)
        _, calls, depth, aliases = walk.selections(operation.selection_set, root)
        return Cost(calls, depth, aliases)


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    """The operation of this name, or the only one; None when it can't be told."""
    found = [
        node
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode) and (name is None or (node.name and node.name.value == name))
    ]
    return found[0] if len(found) == 1 else None


def is_query(operation: OperationDefinitionNode) -> bool:
    """True for an operation that changes nothing and ends at once."""
    return operation.operation is OperationType.QUERY


def _with_defaults(operation: OperationDefinitionNode, variables: Mapping[str, Any] | None) -> dict[str, Any]:
    defaults = {
        definition.variable.name.value: value_from_ast_untyped(definition.default_value)
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }
    return {**defaults, **(variables or {})}


Totals = tuple[bool, int, int, int]
"""Needs the album's (or chapter's) detail; calls; depth; aliases."""


class _Walk:
    """One walk over one operation; fragments are counted once per type, so that nesting them can't explode."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
        list_details: bool,
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables
        self._list_details = list_details
        self._known: dict[tuple[str, bool], Totals] = {}
        self._has_details = False
        """True below a list whose albums were all looked up."""

    def selections(self, node: SelectionSetNode, parent: GraphQLObjectType) -> Totals:
        needs, calls, depth, aliases = False, 0, 0, 0
        for selection in node.selections:
            more = self._selection(selection, parent)
            needs, calls = needs or more[0], calls + more[1]
            depth, aliases = max(depth, more[2]), aliases + more[3]
        return needs, calls, depth, aliases

    def _selection(self, selection: Any, parent: GraphQLObjectType) -> Totals:
        if self._is_left_out(selection):
            return False, 0, 0, 0
        if isinstance(selection, FieldNode):
            return self._field(selection, parent)
        if isinstance(selection, InlineFragmentNode):
            return self.selections(selection.selection_set, self._condition(selection.type_condition, parent))
        if isinstance(selection, FragmentSpreadNode):
            return self._fragment(selection.name.value, parent)
        return False, 0, 0, 0

    def _is_left_out(self, selection: Any) -> bool:
        """By `@skip` or `@include`, with these variables."""
        for directive in selection.directives or ():
            if directive.name.value in ("skip", "include"):
                wanted = self._values(directive.arguments).get("if")
                if wanted is (directive.name.value == "skip"):
                    return True
        return False

    def _fragment(self, name: str, parent: GraphQLObjectType) -> Totals:
        key = (name, self._has_details)
        if key not in self._known:
            fragment = self._fragments[name]
            self._known[key] = (False, 0, 0, 0)
            self._known[key] = self.selections(
                fragment.selection_set, self._condition(fragment.type_condition, parent)
            )
        return self._known[key]

    def _condition(self, condition: Any, parent: GraphQLObjectType) -> GraphQLObjectType:
        named = self._schema.get_type(condition.name.value) if condition else None
        return cast(GraphQLObjectType, named or parent)

    def _field(self, node: FieldNode, parent: GraphQLObjectType) -> Totals:
        name = node.name.value
        aliases = 1 if node.alias else 0
        definition = getattr(parent, "fields", {}).get(name)
        if definition is None or node.selection_set is None:
            return self._needs(parent, name), 0, 0, aliases
        target = get_named_type(definition.type)
        if not is_composite_type(target):
            return self._needs(parent, name), 0, 0, aliases
        rule, arguments = _RULES.get((parent.name, name), _Rule()), self._values(node.arguments)
        judged = PAGE_SIZE if (parent.name, name) in _JUDGED_LISTS and self._looks_up(arguments) else 0
        below_needs, below, depth, below_aliases = self._below(node.selection_set, target, judged > 0)
        is_detailed = below_needs and target.name in ("Album", "Chapter")
        is_at_hand = rule.loads_album or (self._has_details and target.name == "Album")
        times = rule.times(arguments)
        calls = rule.calls * (times if rule.loads_album else 1) + judged
        calls += times * (below + (1 if is_detailed and not is_at_hand else 0))
        return self._needs(parent, name), calls, depth + 1, aliases + below_aliases

    def _looks_up(self, arguments: Arguments) -> bool:
        """Whether a list looks up each of its albums before it is shown."""
        return self._list_details or bool(arguments.get("exclude"))

    def _below(self, node: SelectionSetNode, target: Any, has_details: bool) -> Totals:
        before, self._has_details = self._has_details, self._has_details or has_details
        try:
            return self.selections(node, target)
        finally:
            self._has_details = before

    def _needs(self, parent: GraphQLObjectType, name: str) -> bool:
        if parent.name == "Album":
            return name not in _FREE_ALBUM_FIELDS
        return parent.name == "Chapter" and name in _CHAPTER_PAGES

    def _values(self, arguments: Iterable[ArgumentNode] | None) -> dict[str, Any]:
        return {
            argument.name.value: value_from_ast_untyped(argument.value, dict(self._variables))
            for argument in arguments or ()
        }
