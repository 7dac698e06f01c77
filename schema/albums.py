"""An album and the lists it stands in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from resolvers import albums, downloads
from schema.chapters import Chapter
from schema.comments import CommentPage
from schema.covers import Cover
from schema.enums import Period, SourceMethod, TagKind
from schema.fields import Info, semantic
from services.catalog import AlbumDetail, AlbumListPage, AlbumSummary, RankingPage

if TYPE_CHECKING:
    from schema.downloads import Download
    from schema.tags import AlbumTag

LARGEST_INT = 2**31 - 1
"""GraphQL's Int ends here; the site's counts never come near."""


@strawberry.type(description="An album of the site. Its title costs nothing more than the list it stands in.")
class Album:
    """View of an album: of a list's line until a field needs the detail, which is then asked for once."""

    record: strawberry.Private[AlbumSummary | AlbumDetail]

    @strawberry.field(description="The JM number, as digits.")
    def id(self) -> strawberry.ID:
        """The JM number."""
        return strawberry.ID(self.record.id)

    @strawberry.field(description="Title, as the site has it.")
    def title(self) -> str:
        """Title, as the site has it."""
        return self.record.title

    @strawberry.field(description="The cover.")
    def cover(self) -> Cover:
        """The cover."""
        return Cover(album_id=self.record.id)

    @strawberry.field(description="The album's page on the site.")
    def url(self, info: Info) -> str:
        """The album's page on the site."""
        return albums.site_url(info.context, self.record.id)

    @strawberry.field(description="Downloads of this album on this server, newest first.")
    async def downloads(self, info: Info) -> list[Annotated[Download, strawberry.lazy("schema.downloads")]]:
        """Downloads of this album on this server."""
        from schema.downloads import Download

        return [Download(record=record) for record in await downloads.of_album(info.context, self.record.id)]

    @semantic("What the site tells about it; empty when it tells nothing.")
    async def description(self, info: Info) -> str | None:
        """What the site tells about it."""
        return (await self._detail(info)).description

    @semantic("Authors, each as a tag.")
    async def authors(self, info: Info) -> list[Annotated[AlbumTag, strawberry.lazy("schema.tags")]] | None:
        """Authors, each as a tag."""
        return _tags((await self._detail(info)).authors, TagKind.AUTHOR)

    @semantic("Works that it is drawn after, each as a tag.")
    async def works(self, info: Info) -> list[Annotated[AlbumTag, strawberry.lazy("schema.tags")]] | None:
        """Works that it is drawn after."""
        return _tags((await self._detail(info)).works, TagKind.WORK)

    @semantic("Characters in it, each as a tag.")
    async def characters(self, info: Info) -> list[Annotated[AlbumTag, strawberry.lazy("schema.tags")]] | None:
        """Characters in it."""
        return _tags((await self._detail(info)).characters, TagKind.CHARACTER)

    @semantic("Its tags, in the site's order.")
    async def tags(self, info: Info) -> list[Annotated[AlbumTag, strawberry.lazy("schema.tags")]] | None:
        """Its tags, in the site's order."""
        return _tags((await self._detail(info)).tags, TagKind.GENRE)

    @semantic("Number of pages over all chapters.")
    async def page_count(self, info: Info) -> int | None:
        """Number of pages over all chapters."""
        return (await self._detail(info)).page_count

    @semantic("Views. The site abbreviates large counts ('40K'); then this is the rounded number.")
    async def view_count(self, info: Info) -> int | None:
        """Views."""
        return min((await self._detail(info)).view_count, LARGEST_INT)

    @semantic("Likes, rounded where the site rounds.")
    async def like_count(self, info: Info) -> int | None:
        """Likes."""
        return min((await self._detail(info)).like_count, LARGEST_INT)

    @semantic("Comments, as the site counts them.")
    async def comment_count(self, info: Info) -> int | None:
        """Comments."""
        return (await self._detail(info)).comment_count

    @strawberry.field(description="Day it was published; null when the site does not tell.")
    async def published_on(self, info: Info) -> date | None:
        """Day it was published."""
        return (await self._detail(info)).published_on

    @strawberry.field(description="Day of its last change; null when the site does not tell.")
    async def updated_on(self, info: Info) -> date | None:
        """Day of its last change."""
        return (await self._detail(info)).updated_on

    @semantic("Chapters in reading order; a single album is one chapter.")
    async def chapters(self, info: Info) -> list[Chapter] | None:
        """Chapters in reading order."""
        return [Chapter(record=chapter) for chapter in (await self._detail(info)).chapters]

    @semantic("Albums that the site calls related.")
    async def related(self, info: Info) -> list[Album] | None:
        """Albums that the site calls related."""
        return [Album(record=summary) for summary in await albums.related(info.context, self.record.id)]

    @semantic("Comments, newest first; one call to the site.")
    async def comments(self, info: Info, page: int = 1) -> CommentPage | None:
        """A page of comments."""
        return CommentPage.of(await albums.comments(info.context, self.record.id, page))

    @semantic("Which upstream method the details came from.")
    async def source(self, info: Info) -> SourceMethod | None:
        """Which upstream method the details came from."""
        return (await self._detail(info)).source

    async def _detail(self, info: Info) -> AlbumDetail:
        if isinstance(self.record, AlbumDetail):
            return self.record
        self.record = await albums.detail(info.context, self.record.id)
        return self.record


def _tags(names: Sequence[str], kind: TagKind) -> list[AlbumTag]:
    from schema.tags import AlbumTag

    return [AlbumTag(name=name, kind=kind) for name in names]


@strawberry.type(description="A page of albums.")
class AlbumPage:
    """View of a page of a search."""

    items: list[Album] = strawberry.field(description="The albums of this page.")
    page: int = strawberry.field(description="1-based.")
    page_count: int = strawberry.field(description="Number of pages.")
    total: int = strawberry.field(description="Albums over all pages, as the site counts them.")
    has_next_page: bool = strawberry.field(description="True when another page follows.")

    @classmethod
    def of(cls, record: AlbumListPage) -> Self:
        """The view of this record."""
        return cls(
            items=[Album(record=summary) for summary in record.items],
            page=record.page,
            page_count=record.page_count,
            total=record.total,
            has_next_page=record.page < record.page_count,
        )


@strawberry.type(description="An album and its rank.")
class RankingEntry:
    """View of a line of a ranking."""

    rank: int = strawberry.field(description="1-based across pages.")
    album: Album = strawberry.field(description="The album.")


@strawberry.type(description="A page of a ranking.")
class Ranking:
    """View of a page of a ranking."""

    period: Period = strawberry.field(description="Span it counts over.")
    page: int = strawberry.field(description="1-based.")
    total: int = strawberry.field(description="Albums over all pages, as the site counts them.")
    entries: list[RankingEntry] = strawberry.field(description="The entries of this page, best first.")
    fetched_at: datetime = strawberry.field(description="When this was read from the site.")

    @classmethod
    def of(cls, record: RankingPage) -> Self:
        """The view of this record."""
        return cls(
            period=record.period,
            page=record.page,
            total=record.total,
            entries=[RankingEntry(rank=line.rank, album=Album(record=line.album)) for line in record.entries],
            fetched_at=record.fetched_at,
        )
