"""Tags: as the site spells them, and as the EhTag database records them."""

from __future__ import annotations

from datetime import datetime
from typing import Self

import strawberry
from strawberry.scalars import JSON

from resolvers import tags
from schema.albums import AlbumPage
from schema.enums import CellFormat, Namespace, TagKind, TagMatch
from schema.fields import Info, semantic
from schema.paging import PageInfo
from services import ehtag


@strawberry.type(description="A record of the EhTag database.")
class Tag:
    """View of a record of the tag database."""

    record: strawberry.Private[ehtag.TagRecord]
    id: strawberry.ID = strawberry.field(description="namespace:raw, e.g. 'other:full color'.")
    namespace: Namespace = strawberry.field(description="Namespace of the tag.")
    raw: str = strawberry.field(description="The English tag, in lower case.")

    @classmethod
    def of(cls, record: ehtag.TagRecord) -> Self:
        """The view of this record."""
        return cls(record=record, id=strawberry.ID(record.id), namespace=record.namespace, raw=record.raw)

    @strawberry.field(description="Translated name.")
    def name(self, format: CellFormat = CellFormat.TEXT) -> str:
        """Translated name."""
        return tags.cell(self.record.name, format.value)

    @strawberry.field(description="Introduction.")
    def intro(self, format: CellFormat = CellFormat.TEXT) -> str:
        """Introduction."""
        return tags.cell(self.record.intro, format.value)

    @strawberry.field(description="Links to elsewhere.")
    def links(self, format: CellFormat = CellFormat.TEXT) -> str:
        """Links to elsewhere."""
        return tags.cell(self.record.links, format.value)

    @strawberry.field(description="Parsed cells: {name, intro, links}, each a list of paragraph nodes.")
    def ast(self) -> JSON:
        """Parsed cells."""
        record = self.record
        return JSON({"name": record.name.ast, "intro": record.intro.ast, "links": record.links.ast})

    @semantic(
        "Albums on the site that carry this tag, searched by the site's own spelling where the alias table "
        "knows it, else by the translated name."
    )
    async def albums(self, info: Info, page: int = 1) -> AlbumPage | None:
        """Albums on the site that carry this tag."""
        return AlbumPage.of(await tags.albums_of_record(info.context, self.record, page))


@strawberry.type(
    description="A tag as the site spells it, joined to its EhTag record where there is one. "
    "A wrong join is worse than none."
)
class AlbumTag:
    """View of a tag of the site and what it was joined to."""

    name: str = strawberry.field(description="The tag as the site spells it.")
    kind: TagKind = strawberry.field(description="Where it stood.")
    translation: Tag | None = strawberry.field(description="Its EhTag record; null when there is none.")
    match: TagMatch | None = strawberry.field(description="How the record was found; null when there is none.")
    alternatives: list[Tag] = strawberry.field(description="Other records of the same name, best first.")

    @classmethod
    def of(cls, joined: ehtag.Translation) -> Self:
        """The view of this join."""
        return cls(
            name=joined.name,
            kind=joined.kind,
            translation=Tag.of(joined.record) if joined.record else None,
            match=joined.match,
            alternatives=[Tag.of(record) for record in joined.alternatives],
        )

    @semantic("Albums on the site with this tag.")
    async def albums(self, info: Info, page: int = 1) -> AlbumPage | None:
        """Albums on the site with this tag."""
        return AlbumPage.of(await tags.albums_of_name(info.context, self.name, self.kind, page))


@strawberry.input(description="Which records of the EhTag database to list.")
class TagFilter:
    """Which records to list."""

    namespaces: list[Namespace] | None = strawberry.field(
        default=strawberry.UNSET, description="Only these namespaces; all when left out."
    )
    query: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Part of a raw or translated name: exact ones first, then prefixes, then the rest.",
    )


@strawberry.type(description="A record and its cursor.")
class TagEdge:
    """A record and its cursor."""

    cursor: str = strawberry.field(description="Opaque; goes into `after`.")
    node: Tag = strawberry.field(description="The record.")


@strawberry.type(description="A page of EhTag records.")
class TagConnection:
    """A page of EhTag records."""

    edges: list[TagEdge] = strawberry.field(description="Records with cursors.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    total_count: int = strawberry.field(description="Records over all pages.")

    @strawberry.field(description="The records, without cursors.")
    def nodes(self) -> list[Tag]:
        """The records, without cursors."""
        return [edge.node for edge in self.edges]

    @classmethod
    def of(cls, page: tags.TagPage) -> Self:
        """The view of this page."""
        edges = [
            TagEdge(cursor=cursor, node=Tag.of(record))
            for cursor, record in zip(page.cursors, page.records, strict=True)
        ]
        return cls(
            edges=edges,
            page_info=PageInfo.of(page.cursors, has_next=page.has_next, has_previous=page.has_previous),
            total_count=page.total,
        )


@strawberry.type(description="A commit of the EhTag database.")
class Commit:
    """A commit of the EhTag database."""

    sha: str = strawberry.field(description="Forty hex digits.")
    message: str = strawberry.field(description="What it says it does.")
    author_name: str = strawberry.field(description="Who wrote it.")
    committed_at: datetime = strawberry.field(description="When it was committed.")


@strawberry.type(description="A namespace of the EhTag database.")
class NamespaceInfo:
    """A namespace of the EhTag database."""

    namespace: Namespace = strawberry.field(description="Which.")
    name: str = strawberry.field(description="Its translated name.")
    description: str = strawberry.field(description="What stands in it.")
    count: int = strawberry.field(description="Number of valid tags.")


@strawberry.type(description="State of the EhTag database that answers are drawn from.")
class EhTagDatabase:
    """View of the tag database at one moment."""

    state: strawberry.Private[ehtag.DatabaseState]

    @strawberry.field(description="The remote's address without credentials; empty where there is none.")
    def repo(self) -> str:
        """The remote's address."""
        return self._snapshot.repo

    @strawberry.field(description="Version of the data format.")
    def version(self) -> int:
        """Version of the data format."""
        return self._snapshot.version

    @strawberry.field(description="The commit that answers are drawn from.")
    def head(self) -> Commit:
        """The commit that answers are drawn from."""
        commit = self._snapshot.commit
        return Commit(
            sha=commit.sha,
            message=commit.message,
            author_name=commit.author.name,
            committed_at=commit.committer.when,
        )

    @strawberry.field(description="Valid tags over all namespaces.")
    def tag_count(self) -> int:
        """Valid tags over all namespaces."""
        return sum(info.count for info in self._snapshot.namespaces)

    @strawberry.field(description="The namespaces, in the release's order.")
    def namespaces(self) -> list[NamespaceInfo]:
        """The namespaces, in the release's order."""
        return [
            NamespaceInfo(namespace=info.namespace, name=info.name, description=info.description, count=info.count)
            for info in self._snapshot.namespaces
        ]

    @strawberry.field(description="True while only the built-in starter glossary is loaded.")
    def is_starter(self) -> bool:
        """True while only the built-in starter glossary is loaded."""
        return self.state.is_starter

    @strawberry.field(description="When the remote was last asked; null before the first time.")
    def last_checked_at(self) -> datetime | None:
        """When the remote was last asked."""
        return self.state.last_checked_at

    @strawberry.field(description="What went wrong when the remote was last asked; null when nothing did.")
    def last_error(self) -> str | None:
        """What went wrong when the remote was last asked."""
        return self.state.last_error

    @property
    def _snapshot(self) -> ehtag.TagSnapshot:
        return self.state.snapshot
