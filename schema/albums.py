"""An album and the lists it stands in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Self, TypeVar, cast

import strawberry

from resolvers import albums, downloads, tags
from schema.chapters import Chapter
from schema.comments import CommentPage
from schema.covers import Cover
from schema.enums import Period, SourceMethod, TagKind
from schema.fields import Info, semantic
from services.catalog import AlbumDetail, AlbumListPage, AlbumSummary, RankingPage

if TYPE_CHECKING:
    from schema.downloads import Download
    from schema.tags import AlbumTag

T = TypeVar("T")

LARGEST_INT = 2**31 - 1
"""GraphQL's Int ends here; the site's counts never come near."""


@strawberry.type(description="An album of the site. Its title costs nothing more than the list it stands in.")
class Album:
    """View of an album: of a list's line until a field needs the detail, which is then asked for once."""

    record: strawberry.Private[AlbumSummary | AlbumDetail]
    id: strawberry.ID = strawberry.field(description="The JM number, as digits.")
    title: str = strawberry.field(description="Title, as the site has it.")

    @classmethod
    def of(cls, record: AlbumSummary | AlbumDetail) -> Self:
        """The view of this record."""
        return cls(record=record, id=strawberry.ID(record.id), title=record.title)

    @strawberry.field(description="The cover.")
    def cover(self) -> Cover:
        """The cover."""
        return Cover(album_id=self.record.id)

    @strawberry.field(description="The album's page on the site.")
    def url(self, info: Info) -> str:
        """The album's page on the site."""
        return albums.site_url(info.context, self.record.id)

    @strawberry.field(
        description="Downloads of this album on this server, newest first; none while the queue can't be reached."
    )
    async def downloads(self, info: Info) -> list[Annotated[Download, strawberry.lazy("schema.downloads")]]:
        """Downloads of this album on this server."""
        from schema.downloads import Download

        return [Download(record=record) for record in await downloads.of_album(info.context, self.record.id)]

    @semantic("What the site tells about it; empty when it tells nothing.")
    def description(self, info: Info) -> str | None:
        """What the site tells about it."""
        return self._show(info, lambda detail: detail.description)

    @semantic("Authors, each as a tag.")
    def authors(self, info: Info) -> list[Annotated[AlbumTag, strawberry.lazy("schema.tags")]] | None:
        """Authors, each as a tag."""
        return self._show(info, lambda detail: _tags(info, detail.authors, TagKind.AUTHOR))

    @semantic("Works that it is drawn after, each as a tag.")
    def works(self, info: Info) -> list[Annotated[AlbumTag, strawberry.lazy("schema.tags")]] | None:
        """Works that it is drawn after."""
        return self._show(info, lambda detail: _tags(info, detail.works, TagKind.WORK))

    @semantic("Characters in it, each as a tag.")
    def characters(self, info: Info) -> list[Annotated[AlbumTag, strawberry.lazy("schema.tags")]] | None:
        """Characters in it."""
        return self._show(info, lambda detail: _tags(info, detail.characters, TagKind.CHARACTER))

    @semantic("Its tags, in the site's order.")
    def tags(self, info: Info) -> list[Annotated[AlbumTag, strawberry.lazy("schema.tags")]] | None:
        """Its tags, in the site's order."""
        return self._show(info, lambda detail: _tags(info, detail.tags, TagKind.GENRE))

    @semantic("Number of pages over all chapters.")
    def page_count(self, info: Info) -> int | None:
        """Number of pages over all chapters."""
        return self._show(info, lambda detail: detail.page_count)

    @semantic("Views. The site abbreviates large counts ('40K'); then this is the rounded number.")
    def view_count(self, info: Info) -> int | None:
        """Views."""
        return self._show(info, lambda detail: min(detail.view_count, LARGEST_INT))

    @semantic("Likes, rounded where the site rounds.")
    def like_count(self, info: Info) -> int | None:
        """Likes."""
        return self._show(info, lambda detail: min(detail.like_count, LARGEST_INT))

    @semantic("Comments, as the site counts them.")
    def comment_count(self, info: Info) -> int | None:
        """Comments."""
        return self._show(info, lambda detail: detail.comment_count)

    @strawberry.field(description="Day it was published; null when the site does not tell.")
    def published_on(self, info: Info) -> date | None:
        """Day it was published."""
        return self._show(info, lambda detail: detail.published_on)

    @strawberry.field(description="Day of its last change; null when the site does not tell.")
    def updated_on(self, info: Info) -> date | None:
        """Day of its last change."""
        return self._show(info, lambda detail: detail.updated_on)

    @semantic("Chapters in reading order; a single album is one chapter.")
    def chapters(self, info: Info) -> list[Chapter] | None:
        """Chapters in reading order."""
        return self._show(info, lambda detail: [Chapter(record=chapter) for chapter in detail.chapters])

    @semantic("Albums that the site calls related.")
    async def related(self, info: Info) -> list[Album] | None:
        """Albums that the site calls related."""
        return [Album.of(summary) for summary in await albums.related(info.context, self.record.id)]

    @semantic("Comments, newest first; one call to the site.")
    async def comments(self, info: Info, page: int = 1) -> CommentPage | None:
        """A page of comments."""
        return CommentPage.of(await albums.comments(info.context, self.record.id, page))

    @semantic("Which upstream method the details came from.")
    def source(self, info: Info) -> SourceMethod | None:
        """Which upstream method the details came from."""
        return self._show(info, lambda detail: detail.source)

    def _show(self, info: Info, show: Callable[[AlbumDetail], T]) -> T:
        """What `show` makes of the detail: at once where it is at hand, else when the loader has it.

        Lists of warm albums have thousands of such fields; a coroutine each would be most of their cost.
        """
        if not isinstance(self.record, AlbumDetail):
            known = albums.peek(info.context, self.record.id)
            if known is None:
                return cast("T", self._show_later(info, show))  # GraphQL waits for what must be awaited
            self.record = known
        return show(self.record)

    async def _show_later(self, info: Info, show: Callable[[AlbumDetail], T]) -> T:
        self.record = detail = await albums.detail(info.context, self.record.id)
        return show(detail)


def _tags(info: Info, names: Sequence[str], kind: TagKind) -> list[AlbumTag]:
    from schema.tags import AlbumTag

    return [AlbumTag.of(joined) for joined in tags.translate_many(info.context, names, kind)]


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
            items=[Album.of(summary) for summary in record.items],
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
            entries=[RankingEntry(rank=line.rank, album=Album.of(line.album)) for line in record.entries],
            fetched_at=record.fetched_at,
        )
