"""The EhTag database: its records page by page, its state, and edits of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

import strawberry

import resolvers.tags
from schema.albums import Tag
from schema.enums import Namespace, TagMatchedField
from schema.errors import (
    AccessDeniedResult,
    InvalidInputResult,
    StaleVersionResult,
    TagConflictResult,
    TagNotFoundResult,
    UpstreamFailureResult,
)
from schema.fields import PageInfo, field, input_type, object_type
from services import ehtag


@input_type
class TagFilter:
    """Which records of the EhTag database to list."""

    namespaces: list[Namespace] | None = strawberry.field(
        default=strawberry.UNSET, description="Only these namespaces; all when left out."
    )
    query: str | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "Part of a raw tag, a translated name, another spelling, its pinyin or initials, or the introduction. "
            "Exact texts come first, then those that begin with it, have it at the start of a word, or inside; of "
            "each, genres before works before people. Case, width, script and punctuation don't matter; one slip in "
            "a word of five letters is forgiven. `f:glasses`, `female:glasses` and `女性：眼镜` search one namespace."
        ),
    )


@object_type
class TagMatchedText:
    """The text by which a query found a record, and which part of it matched."""

    text: str = strawberry.field(description="The text; of an introduction, what stands around the match.")
    field: TagMatchedField = strawberry.field(description="What the text is.")
    start: int = strawberry.field(description="Unicode characters before the match.")
    length: int = strawberry.field(description="Unicode characters of the match.")


@object_type
class TagEdge:
    """A record and its cursor."""

    page: strawberry.Private[resolvers.tags.TagPage]
    place: strawberry.Private[int]
    cursor: str = strawberry.field(description="Opaque; goes into `after`.")
    node: Tag = strawberry.field(description="The record.")

    @field
    def matched(self) -> TagMatchedText | None:
        """The text by which the query found the record, of several words the longest; null without a query, and where
        the match has no place in the text as it is shown.
        """
        matched = self.page.matched(self.place)
        return matched and TagMatchedText(
            text=matched.text, field=matched.field, start=matched.start, length=matched.length
        )


@object_type
class TagConnection:
    """A page of EhTag records."""

    edges: list[TagEdge] = strawberry.field(description="Records with cursors.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    total_count: int = strawberry.field(description="Records over all pages.")

    @field
    def nodes(self) -> list[Tag]:
        """The records, without cursors."""
        return [edge.node for edge in self.edges]

    @classmethod
    def of(cls, page: resolvers.tags.TagPage) -> Self:
        """The view of a page of records."""
        edges = [
            TagEdge(page=page, place=place, cursor=cursor, node=Tag.of(record))
            for place, (cursor, record) in enumerate(zip(page.cursors, page.records, strict=True))
        ]
        return cls(
            edges=edges,
            page_info=PageInfo.of(page.cursors, has_next=page.has_next, has_previous=page.has_previous),
            total_count=page.total,
        )


@object_type
class FrequentTagView:
    """A tag, and how often this server has seen it."""

    tag: Tag = strawberry.field(description="The record.")
    album_count: int = strawberry.field(description="Albums that this server has read and that have it.")

    @classmethod
    def of(cls, found: ehtag.FrequentTag) -> Self:
        """The view of a record with its count."""
        return cls(tag=Tag.of(found.record), album_count=found.album_count)


@object_type
class Commit:
    """A commit of the EhTag database."""

    sha: str = strawberry.field(description="Forty hex digits.")
    message: str = strawberry.field(description="What it says it does.")
    author_name: str = strawberry.field(description="Who wrote it.")
    committed_at: datetime = strawberry.field(description="When it was committed.")


@object_type
class NamespaceInfo:
    """A namespace of the EhTag database."""

    namespace: Namespace = strawberry.field(description="Which.")
    name: str = strawberry.field(description="Its translated name.")
    description: str = strawberry.field(description="What stands in it.")
    count: int = strawberry.field(description="Number of valid tags.")


@object_type
class EhTagDatabase:
    """State of the EhTag database that answers are drawn from."""

    state: strawberry.Private[ehtag.DatabaseState]

    @classmethod
    def of(cls, state: ehtag.DatabaseState) -> Self:
        """The view of the database at one moment."""
        return cls(state=state)

    @field
    def repo(self) -> str:
        """The remote's address without credentials; empty for the starter glossary."""
        return self._snapshot.repo

    @field
    def version(self) -> int:
        """Version of the data format."""
        return self._snapshot.version

    @field
    def head(self) -> Commit:
        """The commit that answers are drawn from."""
        commit = self._snapshot.commit
        return Commit(
            sha=commit.sha,
            message=commit.message,
            author_name=commit.author.name,
            committed_at=commit.committer.when,
        )

    @field
    def tag_count(self) -> int:
        """Valid tags over all namespaces."""
        return sum(info.count for info in self._snapshot.namespaces)

    @field
    def namespaces(self) -> list[NamespaceInfo]:
        """The namespaces, in the release's order."""
        return [
            NamespaceInfo(namespace=info.namespace, name=info.name, description=info.description, count=info.count)
            for info in self._snapshot.namespaces
        ]

    @field
    def is_starter(self) -> bool:
        """True while only the built-in starter glossary is loaded."""
        return self.state.is_starter

    @field
    def last_checked_at(self) -> datetime | None:
        """When the remote was last asked; null before the first time."""
        return self.state.last_checked_at

    @field
    def last_error(self) -> str | None:
        """What went wrong when the remote was last asked; null when nothing did."""
        return self.state.last_error

    @property
    def _snapshot(self) -> ehtag.TagSnapshot:
        return self.state.snapshot


@input_type
class AddTagInput:
    """A new record of the EhTag database. Cells are Markdown."""

    namespace: Namespace = strawberry.field(description="Namespace to add it to.")
    raw: str = strawberry.field(description="The English tag; trimmed, lower case.")
    name: str = strawberry.field(description="Translated name.")
    intro: str = strawberry.field(default="", description="Introduction.")
    links: str = strawberry.field(default="", description="Links to elsewhere.")
    before: str | None = strawberry.field(
        default=strawberry.UNSET, description="Raw tag of the row to stand before; at the end with neither."
    )
    after: str | None = strawberry.field(
        default=strawberry.UNSET, description="Raw tag of the row to stand behind; at the end with neither."
    )
    if_match: str = strawberry.field(description="Sha of the version you edit (`ehtag.head.sha`); `*` for any.")


@input_type
class UpdateTagInput:
    """New cells of a record of the EhTag database. Cells are Markdown."""

    namespace: Namespace = strawberry.field(description="Its namespace.")
    raw: str = strawberry.field(description="The English tag.")
    name: str = strawberry.field(description="Translated name.")
    intro: str = strawberry.field(default="", description="Introduction.")
    links: str = strawberry.field(default="", description="Links to elsewhere.")
    if_match: str = strawberry.field(description="Sha of the version you edit (`ehtag.head.sha`); `*` for any.")


@input_type
class RemoveTagInput:
    """A record of the EhTag database to remove."""

    namespace: Namespace = strawberry.field(description="Its namespace.")
    raw: str = strawberry.field(description="The English tag.")
    if_match: str = strawberry.field(description="Sha of the version you edit (`ehtag.head.sha`); `*` for any.")


@object_type
class RemovedTag:
    """A removed record."""

    id: strawberry.ID = strawberry.field(description="It was namespace:raw.")
    head: str = strawberry.field(description="Sha of the version without it.")

    @classmethod
    def of(cls, record: resolvers.tags.TagRemoval) -> Self:
        """The view of what was removed."""
        return cls(id=strawberry.ID(record.id), head=record.head)


AddTagResult = Annotated[
    Tag
    | TagNotFoundResult
    | TagConflictResult
    | InvalidInputResult
    | StaleVersionResult
    | AccessDeniedResult
    | UpstreamFailureResult,
    strawberry.union("AddTagResult", description="The record as it stands now, or why nothing was added."),
]
UpdateTagResult = Annotated[
    Tag
    | TagNotFoundResult
    | TagConflictResult
    | InvalidInputResult
    | StaleVersionResult
    | AccessDeniedResult
    | UpstreamFailureResult,
    strawberry.union("UpdateTagResult", description="The record as it stands now, or why nothing was changed."),
]
RemoveTagResult = Annotated[
    RemovedTag
    | TagNotFoundResult
    | TagConflictResult
    | InvalidInputResult
    | StaleVersionResult
    | AccessDeniedResult
    | UpstreamFailureResult,
    strawberry.union("RemoveTagResult", description="What was removed, or why nothing was."),
]
