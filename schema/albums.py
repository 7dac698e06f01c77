"""Albums, their tags, and the lists of albums.

`Album`, `AlbumTag`, `Tag` and `AlbumPage` refer to each other, which is why they are declared in one file.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from functools import wraps
from typing import Any, Self, TypeVar

import strawberry
from strawberry.scalars import JSON
from strawberry.types.lazy_type import LazyType

import resolvers.albums
import resolvers.downloads
import resolvers.library
import resolvers.reading
import resolvers.site_account
import resolvers.tags
from schema.album_parts import Chapter, CommentPage, Cover
from schema.downloads import Download
from schema.enums import CellFormat, Namespace, Period, SourceMethod, TagKind, TagMatch
from schema.fields import Info, field, object_type
from services.catalog import AlbumDetail, AlbumListPage, AlbumSummary, Category, RankingPage
from services.ehtag import Cell, ChineseScript, TagRecord, Translation, in_script
from services.library import LibraryRecord
from services.people import ProgressRecord

T = TypeVar("T")

MAX_INT = 2**31 - 1
"""Largest `Int` of GraphQL; the site's counts are far smaller."""


def detail_field(method: Callable[..., T] | None = None, *, semantic_non_null: bool = True) -> Any:
    """Declare a field of `Album` whose value is made from the album's detail; `info` is passed where it is named.

    The value is returned at once where the detail is cached in this process: a list of cached albums has thousands of
    such fields, and a coroutine for each would be most of their cost.
    """

    def declare(method: Callable[..., T]) -> Any:
        signature = inspect.signature(method)
        takes_info = "info" in signature.parameters

        def value_of(album: Album, detail: AlbumDetail, info: Info) -> T:
            return method(album, detail, info) if takes_info else method(album, detail)

        async def load_value(album: Album, info: Info) -> T:
            return value_of(album, await album.load_detail(info), info)

        @wraps(method)
        def resolve(self: Album, info: Info) -> T | Awaitable[T]:
            detail = self.cached_detail(info)
            return load_value(self, info) if detail is None else value_of(self, detail, info)

        info = inspect.Parameter("info", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Info)
        resolve.__signature__ = signature.replace(parameters=[signature.parameters["self"], info])  # type: ignore[attr-defined]
        return field(resolve, semantic_non_null=semantic_non_null)

    return declare if method is None else declare(method)


@object_type
class Album:
    """An album of the site. Its title costs nothing more than the list it stands in.

    The record is a line of a list until a field needs the detail, which is then loaded once.
    """

    record: strawberry.Private[AlbumSummary | AlbumDetail]
    id: strawberry.ID = strawberry.field(description="The JM number, as digits.")
    line: strawberry.Private[AlbumSummary | None] = None

    @classmethod
    def of(cls, record: AlbumSummary | AlbumDetail) -> Self:
        """The view of an album, with or without its detail."""
        return cls(
            record=record, id=strawberry.ID(record.id), line=record if isinstance(record, AlbumSummary) else None
        )

    @field
    def title(self, script: ChineseScript | None = strawberry.UNSET) -> str:
        """Title, as the site has it; in `script`, where one is asked for and the title is Chinese."""
        return in_script(self.record.title, script) if script else self.record.title

    def cached_detail(self, info: Info) -> AlbumDetail | None:
        """The detail, where it needs no call; None otherwise."""
        if isinstance(self.record, AlbumDetail):
            return self.record
        detail = resolvers.albums.cached_detail(info.context, self.record.id)
        if detail is not None:
            self.record = detail
        return detail

    async def load_detail(self, info: Info) -> AlbumDetail:
        """The detail, from the site where necessary; raises `AlbumNotFound` when the site no longer has the album."""
        self.record = detail = await resolvers.albums.album_detail(info.context, self.record.id)
        return detail

    @field
    def cover(self) -> Cover:
        """The cover."""
        return Cover(album_id=self.record.id)

    @field
    def url(self, info: Info) -> str:
        """The album's page on the site."""
        return resolvers.albums.site_url(info.context, self.record.id)

    @field
    async def downloads(self, info: Info) -> list[Download]:
        """Downloads of this album on this server, newest first; none while the queue can't be reached."""
        records = await resolvers.downloads.downloads_of_album(info.context, self.record.id)
        return [Download.of(record) for record in records]

    @field
    async def is_site_favorite(self, info: Info) -> bool | None:
        """Whether it is a favourite of the viewer at the site; null without an account of the site that can be used.
        A call to the site, fewer for many albums.
        """
        return await resolvers.site_account.is_site_favorite(info.context, self.record.id)

    @field(type=LazyType("ReadingProgress", "schema.reading") | None)  # not imported, since it imports this module
    async def progress(self, info: Info) -> ProgressRecord | None:
        """Where you have read it last; null when you have not, and for a guest."""
        return await resolvers.reading.album_progress(info.context, self.record.id)

    @field(type=LazyType("LibraryEntry", "schema.library") | None)
    async def library_entry(self, info: Info) -> LibraryRecord | None:
        """Its entry in your library; null when it is not there, and for a guest."""
        return await resolvers.library.library_entry(info.context, self.record.id)

    @detail_field
    def description(self, detail: AlbumDetail) -> str | None:
        """What the site tells about it; empty when it tells nothing."""
        return detail.description

    @field
    def category(self) -> Category | None:
        """Category of the site; null where the list that it stands in does not tell. Never a call."""
        return self.line.category if self.line else None

    @field
    def known(self, info: Info) -> KnownAlbum:
        """What is known of it without a call."""
        return KnownAlbum.of(self.line, self.cached_detail(info))

    @field(semantic_non_null=True)
    async def authors(self, info: Info) -> list[AlbumTag] | None:
        """Authors, each as a tag; no call where the list that it stands in names them."""
        names = KnownAlbum.of(self.line, self.cached_detail(info)).authors
        return _tags(info, (await self.load_detail(info)).authors if names is None else names, TagKind.AUTHOR)

    @detail_field
    def works(self, detail: AlbumDetail, info: Info) -> list[AlbumTag] | None:
        """Works that it is drawn after, each as a tag."""
        return _tags(info, detail.works, TagKind.WORK)

    @detail_field
    def characters(self, detail: AlbumDetail, info: Info) -> list[AlbumTag] | None:
        """Characters in it, each as a tag."""
        return _tags(info, detail.characters, TagKind.CHARACTER, detail.works)

    @detail_field
    def tags(self, detail: AlbumDetail, info: Info) -> list[AlbumTag] | None:
        """Its tags, in the site's order."""
        return _tags(info, detail.tags, TagKind.GENRE)

    @detail_field
    def page_count(self, detail: AlbumDetail) -> int | None:
        """Number of pages over all chapters."""
        return detail.page_count

    @detail_field
    def view_count(self, detail: AlbumDetail) -> int | None:
        """Views. The site abbreviates large counts ('40K'); then this is the rounded number."""
        return min(detail.view_count, MAX_INT)

    @detail_field
    def like_count(self, detail: AlbumDetail) -> int | None:
        """Likes, rounded where the site rounds."""
        return min(detail.like_count, MAX_INT)

    @detail_field
    def comment_count(self, detail: AlbumDetail) -> int | None:
        """Comments, as the site counts them."""
        return detail.comment_count

    @detail_field(semantic_non_null=False)
    def published_on(self, detail: AlbumDetail) -> date | None:
        """Day it was published; null when the site does not tell."""
        return detail.published_on

    @detail_field(semantic_non_null=False)
    def updated_on(self, detail: AlbumDetail) -> date | None:
        """Day of its last change; null when the site does not tell."""
        return detail.updated_on

    @detail_field
    def chapters(self, detail: AlbumDetail) -> list[Chapter] | None:
        """Chapters in reading order; a single album is one chapter."""
        return [Chapter.of(chapter, detail.id) for chapter in detail.chapters]

    @field(semantic_non_null=True)
    async def related(self, info: Info) -> list[Album] | None:
        """Albums that the site calls related."""
        return [Album.of(summary) for summary in await resolvers.albums.related(info.context, self.record.id)]

    @field(semantic_non_null=True)
    async def comments(self, info: Info, page: int = 1) -> CommentPage | None:
        """Comments, newest first; one call to the site."""
        return CommentPage.of(await resolvers.albums.comments(info.context, self.record.id, page))

    @detail_field
    def source(self, detail: AlbumDetail) -> SourceMethod | None:
        """Which upstream method the details came from."""
        return detail.source


@object_type
class KnownAlbum:
    """What is known of an album without a call to the site: by the list that it stands in, or by its detail where
    that is cached. Null is what is not known.
    """

    authors: list[str] | None = strawberry.field(description="Authors, as the site spells them.")
    page_count: int | None = strawberry.field(description="Number of pages over all chapters.")
    view_count: int | None = strawberry.field(description="Views, rounded where the site rounds.")
    like_count: int | None = strawberry.field(description="Likes, rounded where the site rounds.")
    updated_on: date | None = strawberry.field(description="Day of its last change.")

    @classmethod
    def of(cls, line: AlbumSummary | None, detail: AlbumDetail | None) -> Self:
        """The view of what a list says and of the detail, of which either may be absent."""
        authors = detail.authors if detail else line.authors if line else None
        updated_on = (detail.updated_on if detail else None) or (line.updated_on if line else None)
        return cls(
            authors=None if authors is None else list(authors),
            page_count=detail.page_count if detail else None,
            view_count=min(detail.view_count, MAX_INT) if detail else None,
            like_count=min(detail.like_count, MAX_INT) if detail else None,
            updated_on=updated_on,
        )


def _tags(info: Info, names: Sequence[str], kind: TagKind, works: Sequence[str] = ()) -> list[AlbumTag]:
    return [AlbumTag.of(translation) for translation in resolvers.albums.tags(info.context, names, kind, works)]


@object_type
class Tag:
    """A record of the EhTag database."""

    record: strawberry.Private[TagRecord]
    id: strawberry.ID = strawberry.field(description="namespace:raw, e.g. 'other:full color'.")
    namespace: Namespace = strawberry.field(description="Namespace of the tag.")
    raw: str = strawberry.field(description="The English tag, in lower case.")

    @classmethod
    def of(cls, record: TagRecord) -> Self:
        """The view of a record of the tag database."""
        return cls(record=record, id=strawberry.ID(record.id), namespace=record.namespace, raw=record.raw)

    @field
    def name(self, format: CellFormat = CellFormat.TEXT) -> str:
        """Translated name."""
        return _cell(self.record.name, format)

    @field
    def intro(self, format: CellFormat = CellFormat.TEXT) -> str:
        """Introduction."""
        return _cell(self.record.intro, format)

    @field
    def links(self, format: CellFormat = CellFormat.TEXT) -> str:
        """Links to elsewhere."""
        return _cell(self.record.links, format)

    @field
    def ast(self) -> JSON:
        """Parsed cells: {name, intro, links}, each a list of paragraph nodes."""
        record = self.record
        return JSON({"name": record.name.ast, "intro": record.intro.ast, "links": record.links.ast})

    @field
    def search_text(self, info: Info) -> str:
        """What to search for on the site: its own spelling where that is known, else the translated name."""
        return resolvers.tags.search_text(info.context, self.record)

    @field(semantic_non_null=True)
    async def albums(self, info: Info, page: int = 1) -> AlbumPage | None:
        """Albums on the site that carry this tag, searched by the site's own spelling where the alias table knows it,
        else by the translated name.
        """
        return AlbumPage.of(await resolvers.tags.albums_of_record(info.context, self.record, page))


def _cell(cell: Cell, format: CellFormat) -> str:
    if format is CellFormat.TEXT:
        return cell.text
    return cell.raw if format is CellFormat.RAW else cell.html


@object_type
class AlbumTag:
    """A tag as the site spells it, joined to its EhTag record where there is one. A wrong join is worse than none."""

    name: str = strawberry.field(description="The tag as the site spells it.")
    kind: TagKind = strawberry.field(description="Where it stood.")
    translation: Tag | None = strawberry.field(description="Its EhTag record; null when there is none.")
    match: TagMatch | None = strawberry.field(description="How the record was found; null when there is none.")
    alternatives: list[Tag] = strawberry.field(description="Other records of the same name, best first.")

    @classmethod
    def of(cls, record: Translation) -> Self:
        """The view of a tag and the record it was joined to."""
        return cls(
            name=record.name,
            kind=record.kind,
            translation=Tag.of(record.record) if record.record else None,
            match=record.match,
            alternatives=[Tag.of(alternative) for alternative in record.alternatives],
        )

    @field(semantic_non_null=True)
    async def albums(self, info: Info, page: int = 1) -> AlbumPage | None:
        """Albums on the site with this tag."""
        return AlbumPage.of(await resolvers.tags.albums_of_name(info.context, self.name, self.kind, page))


@object_type
class AlbumPage:
    """A page of albums."""

    items: list[Album] = strawberry.field(description="The albums of this page.")
    page: int = strawberry.field(description="1-based.")
    page_count: int = strawberry.field(description="Number of pages.")
    total: int = strawberry.field(description="Albums over all pages, as the site counts them.")
    has_next_page: bool = strawberry.field(description="True when another page follows.")

    @classmethod
    def of(cls, record: AlbumListPage) -> Self:
        """The view of a page of a list."""
        return cls(
            items=[Album.of(summary) for summary in record.items],
            page=record.page,
            page_count=record.page_count,
            total=record.total,
            has_next_page=record.page < record.page_count,
        )


@object_type
class RankingEntry:
    """An album and its rank."""

    rank: int = strawberry.field(description="1-based across pages.")
    album: Album = strawberry.field(description="The album.")


@object_type
class Ranking:
    """A page of a ranking."""

    period: Period = strawberry.field(description="Span it counts over.")
    page: int = strawberry.field(description="1-based.")
    page_count: int = strawberry.field(description="Number of pages.")
    total: int = strawberry.field(description="Albums over all pages, as the site counts them.")
    has_next_page: bool = strawberry.field(description="True when another page follows.")
    entries: list[RankingEntry] = strawberry.field(description="The entries of this page, best first.")
    fetched_at: datetime = strawberry.field(description="When this was read from the site.")

    @classmethod
    def of(cls, record: RankingPage) -> Self:
        """The view of a page of a ranking."""
        return cls(
            period=record.period,
            page=record.page,
            page_count=record.page_count,
            total=record.total,
            has_next_page=record.has_next,
            entries=[RankingEntry(rank=line.rank, album=Album.of(line.album)) for line in record.entries],
            fetched_at=record.fetched_at,
        )
