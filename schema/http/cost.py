"""The worst-case cost of an operation, computed from its document and variables before anything is fetched.

Depth and aliases are plain counts. The upstream calls are one for each root field that reads the site, and one more
for each album of a list where a field needs the detail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

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
    SelectionSetNode,
    get_named_type,
    is_composite_type,
    value_from_ast_untyped,
)

from services.catalog import PAGE_SIZE
from services.cursors import MAX_FIRST

MOST_FAVORITE_CALLS = 22
"""To learn of any number of albums which are favourites: all pages of the favourites, at most."""

TYPICAL_TAGS = 12
TYPICAL_CHAPTERS = 10
TYPICAL_RELATED = 10
TYPICAL_ALTERNATIVES = 3
"""Estimated lengths of lists that are known only from the response; rarely too low."""

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cost:
    """Worst-case cost of one operation."""

    upstream_calls: int
    depth: int
    aliases: int


@dataclass(frozen=True, slots=True)
class _Rule:
    """Cost of a field: its own upstream calls, and the length of its list.

    `loads_album` when its albums or chapters come with their details; `calls` then counts for each of them.
    """

    calls: int = 0
    length: Callable[[Arguments], int] = lambda _: 1
    loads_album: bool = False


def _length_of(argument: str) -> Callable[[Arguments], int]:
    def length(arguments: Arguments) -> int:
        value = arguments.get(argument)
        return len(value) if isinstance(value, list) else 1

    return length


def _first(default: int) -> Callable[[Arguments], int]:
    def length(arguments: Arguments) -> int:
        value = arguments.get("first", default)
        return max(0, min(value, MAX_FIRST)) if isinstance(value, int) else default

    return length


def _constant(number: int) -> Callable[[Arguments], int]:
    return lambda _: number


_RULES: dict[tuple[str, str], _Rule] = {
    ("Mutation", "loginWithSite"): _Rule(calls=1),
    ("Mutation", "connectSiteAccount"): _Rule(calls=1),
    ("Mutation", "setSiteFavorite"): _Rule(calls=4, loads_album=True),
    ("Mutation", "importSiteFavorites"): _Rule(calls=20),
    ("Mutation", "checkInOnSite"): _Rule(calls=2),
    ("SiteAccount", "folders"): _Rule(calls=1),
    ("SiteAccount", "favorites"): _Rule(calls=1),
    ("Query", "album"): _Rule(calls=1, loads_album=True),
    ("Query", "albums"): _Rule(calls=1, length=_length_of("ids"), loads_album=True),
    ("Query", "chapter"): _Rule(calls=2, loads_album=True),
    ("Query", "search"): _Rule(calls=1),
    ("Query", "ranking"): _Rule(calls=1),
    ("Query", "translateTags"): _Rule(length=_length_of("names")),
    ("Query", "tags"): _Rule(length=_first(20)),
    ("Query", "frequentTags"): _Rule(length=_first(10)),
    ("Query", "downloads"): _Rule(length=_first(20)),
    ("Mutation", "startDownload"): _Rule(calls=1),
    ("Mutation", "startDownloads"): _Rule(calls=1, length=_length_of("inputs"), loads_album=True),
    ("Mutation", "retryFailedDownloads"): _Rule(length=_constant(20)),
    ("Mutation", "setReadingProgress"): _Rule(calls=2),
    ("Mutation", "setChaptersRead"): _Rule(calls=1),
    ("Mutation", "addToLibrary"): _Rule(calls=1),
    ("Viewer", "history"): _Rule(length=_first(20)),
    ("Viewer", "continueReading"): _Rule(length=_first(20)),
    ("Viewer", "library"): _Rule(length=_first(20)),
    ("LibraryEntry", "newChapters"): _Rule(length=_constant(TYPICAL_CHAPTERS)),
    ("ChaptersRead", "chapters"): _Rule(length=_constant(TYPICAL_CHAPTERS)),
    ("AlbumPage", "items"): _Rule(length=_constant(PAGE_SIZE)),
    ("Ranking", "entries"): _Rule(length=_constant(PAGE_SIZE)),
    ("Album", "related"): _Rule(length=_constant(TYPICAL_RELATED)),
    ("Album", "chapters"): _Rule(length=_constant(TYPICAL_CHAPTERS)),
    ("Album", "comments"): _Rule(calls=1),
    ("Album", "downloads"): _Rule(length=_constant(3)),
    ("Album", "tags"): _Rule(length=_constant(TYPICAL_TAGS)),
    ("Album", "works"): _Rule(length=_constant(2)),
    ("Album", "characters"): _Rule(length=_constant(4)),
    ("Album", "authors"): _Rule(length=_constant(2)),
    ("AlbumTag", "albums"): _Rule(calls=1),
    ("AlbumTag", "alternatives"): _Rule(length=_constant(TYPICAL_ALTERNATIVES)),
    ("Tag", "albums"): _Rule(calls=1),
    ("Download", "album"): _Rule(calls=1, loads_album=True),
}

_FILTERED_LISTS = frozenset({("Query", "search"), ("Query", "ranking"), ("AlbumTag", "albums"), ("Tag", "albums")})
"""Lists that look up every album before they are shown, in strict policy or with `exclude`."""

_FREE_ALBUM_FIELDS = frozenset(
    {
        "id",
        "title",
        "cover",
        "url",
        "category",
        "known",
        "downloads",
        "isSiteFavorite",
        "comments",
        "progress",
        "libraryEntry",
        "__typename",
    }
)
"""Fields of Album that need no detail."""

_CHAPTER_DETAIL_FIELDS = frozenset({"pageCount", "pages"})
"""Fields of Chapter that need its detail."""


class CostCalculator:
    """Computes costs of operations of one schema; `list_details` when lists look up every album (strict policy)."""

    def __init__(self, schema: GraphQLSchema, *, list_details: bool = False) -> None:
        self._schema = schema
        self._list_details = list_details

    def __call__(
        self, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any] | None
    ) -> Cost:
        """The worst case of this operation with these variables."""
        fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        visitor = _CostVisitor(self._schema, fragments, _with_defaults(operation, variables), self._list_details)
        root = self._schema.get_root_type(operation.operation)
        if root is None:
            return Cost(0, 0, 0)
        total = visitor.selections(operation.selection_set, root)
        return Cost(total.calls + total.favorite_calls, total.depth, total.aliases)


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode | None:
    """The operation of this name, or the only one; None without exactly one."""
    operations = [
        node
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode) and (name is None or (node.name and node.name.value == name))
    ]
    return operations[0] if len(operations) == 1 else None


def _with_defaults(operation: OperationDefinitionNode, variables: Mapping[str, Any] | None) -> dict[str, Any]:
    defaults = {
        definition.variable.name.value: value_from_ast_untyped(definition.default_value)
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }
    return {**defaults, **(variables or {})}


class _Total(NamedTuple):
    """Cost of a selection; `needs_detail` when it has a field that needs the detail of its album or chapter.

    `favorite_calls` are those that tell which albums are favourites; they have a limit of their own.
    """

    needs_detail: bool = False
    calls: int = 0
    favorite_calls: int = 0
    depth: int = 0
    aliases: int = 0

    def with_sibling(self, other: _Total) -> _Total:
        return _Total(
            self.needs_detail or other.needs_detail,
            self.calls + other.calls,
            min(self.favorite_calls + other.favorite_calls, MOST_FAVORITE_CALLS),
            max(self.depth, other.depth),
            self.aliases + other.aliases,
        )


class _CostVisitor:
    """Visits one operation; each fragment once, so that fragments in fragments can't take exponential time."""

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
        self._fragment_totals: dict[tuple[str, bool], _Total] = {}
        self._has_details = False
        """True below a list whose albums were all looked up."""

    def selections(self, node: SelectionSetNode, parent: GraphQLObjectType) -> _Total:
        total = _Total()
        for selection in node.selections:
            if not self._is_skipped(selection):
                total = total.with_sibling(self._selection(selection, parent))
        return total

    def _selection(self, selection: Any, parent: GraphQLObjectType) -> _Total:
        if isinstance(selection, FieldNode):
            return self._field(selection, parent)
        if isinstance(selection, InlineFragmentNode):
            return self.selections(selection.selection_set, self._condition(selection.type_condition, parent))
        if isinstance(selection, FragmentSpreadNode):
            return self._fragment(selection.name.value, parent)
        return _Total()

    def _is_skipped(self, selection: Any) -> bool:
        """By `@skip` or `@include`, with these variables."""
        for directive in selection.directives or ():
            if directive.name.value in ("skip", "include"):
                condition = self._values(directive.arguments).get("if")
                if condition is (directive.name.value == "skip"):
                    return True
        return False

    def _fragment(self, name: str, parent: GraphQLObjectType) -> _Total:
        key = (name, self._has_details)
        if key not in self._fragment_totals:
            fragment = self._fragments[name]
            self._fragment_totals[key] = _Total()  # of a spread inside itself
            condition = self._condition(fragment.type_condition, parent)
            self._fragment_totals[key] = self.selections(fragment.selection_set, condition)
        return self._fragment_totals[key]

    def _condition(self, condition: Any, parent: GraphQLObjectType) -> GraphQLObjectType:
        named = self._schema.get_type(condition.name.value) if condition else None
        return cast(GraphQLObjectType, named or parent)

    def _field(self, node: FieldNode, parent: GraphQLObjectType) -> _Total:
        name = node.name.value
        aliases = 1 if node.alias else 0
        needs_detail = _needs_detail(parent, name)
        definition = getattr(parent, "fields", {}).get(name)
        target = definition and get_named_type(definition.type)
        if node.selection_set is None or not is_composite_type(target):
            asks_favorite = (parent.name, name) == ("Album", "isSiteFavorite")
            return _Total(needs_detail, favorite_calls=2 if asks_favorite else 0, aliases=aliases)
        rule, arguments = _RULES.get((parent.name, name), _Rule()), self._values(node.arguments)
        is_filtered = (parent.name, name) in _FILTERED_LISTS and self._looks_up_albums(arguments)
        below = self._below(node.selection_set, target, is_filtered)
        loads_each = below.needs_detail and target.name in ("Album", "Chapter")
        is_loaded = rule.loads_album or (self._has_details and target.name == "Album")
        length = rule.length(arguments)
        calls = rule.calls * (length if rule.loads_album else 1) + (PAGE_SIZE if is_filtered else 0)
        calls += length * (below.calls + (1 if loads_each and not is_loaded else 0))
        favorite_calls = min(length * below.favorite_calls, MOST_FAVORITE_CALLS)
        return _Total(needs_detail, calls, favorite_calls, below.depth + 1, aliases + below.aliases)

    def _looks_up_albums(self, arguments: Arguments) -> bool:
        """Whether a list looks up each of its albums before it is shown."""
        return self._list_details or bool(arguments.get("exclude"))

    def _below(self, node: SelectionSetNode, target: Any, has_details: bool) -> _Total:
        before, self._has_details = self._has_details, self._has_details or has_details
        try:
            return self.selections(node, target)
        finally:
            self._has_details = before

    def _values(self, arguments: Iterable[ArgumentNode] | None) -> dict[str, Any]:
        return {
            argument.name.value: value_from_ast_untyped(argument.value, dict(self._variables))
            for argument in arguments or ()
        }


def _needs_detail(parent: GraphQLObjectType, name: str) -> bool:
    if parent.name == "Album":
        return name not in _FREE_ALBUM_FIELDS
    return parent.name == "Chapter" and name in _CHAPTER_DETAIL_FIELDS
