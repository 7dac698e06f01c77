"""What belongs to an album: its cover, chapters, pages and comments."""

from __future__ import annotations

from typing import Self

import strawberry
from strawberry.types.lazy_type import LazyType

import resolvers.albums
import resolvers.reading
from schema.enums import CoverSize
from schema.fields import Info, field, object_type
from services import catalog
from services.ehtag import ChineseScript, in_script
from services.people import ProgressRecord


@object_type
class Cover:
    """The cover of an album, served by this server.

    Width, height and placeholder are looked up only when a client selects them.
    """

    album_id: strawberry.Private[str]

    @field
    def url(self, info: Info, size: CoverSize = CoverSize.FULL) -> str:
        """Absolute, on this server."""
        url = info.context.url("images", "covers", self.album_id)
        return url if size is CoverSize.FULL else f"{url}?size=thumbnail"

    @field
    async def width(self, info: Info) -> int | None:
        """Width of the full size in pixels; null until the cover has been fetched once."""
        image = await info.context.loaders.cover_info_of.load(self.album_id)
        return image.width if image else None

    @field
    async def height(self, info: Info) -> int | None:
        """Height of the full size in pixels; null until the cover has been fetched once."""
        image = await info.context.loaders.cover_info_of.load(self.album_id)
        return image.height if image else None

    @field
    async def placeholder(self, info: Info) -> str | None:
        """ThumbHash, base64: a blurred stand-in with the right shape; null until fetched once."""
        image = await info.context.loaders.cover_info_of.load(self.album_id)
        return image.placeholder if image else None


@object_type
class Page:
    """A page of a chapter, readable."""

    chapter_id: strawberry.Private[str]
    index: int = strawberry.field(description="1-based.")

    @field
    def url(self, info: Info) -> str:
        """Absolute URL of the readable (unscrambled) image on this server."""
        return info.context.url("images", "pages", self.chapter_id, self.index)


@object_type
class Chapter:
    """A chapter of an album. A single album is one chapter with the album's number."""

    record: strawberry.Private[catalog.ChapterRef]
    album_id: strawberry.Private[str | None] = None

    @classmethod
    def of(cls, record: catalog.ChapterRef, album_id: str | None = None) -> Self:
        """The view of a chapter as this album lists it."""
        return cls(record=record, album_id=album_id)

    @field
    def id(self) -> strawberry.ID:
        """The chapter's JM number, as digits."""
        return strawberry.ID(self.record.id)

    @field
    def index(self) -> int:
        """1-based, in reading order."""
        return self.record.index

    @field
    def title(self, script: ChineseScript | None = strawberry.UNSET) -> str:
        """Title of the chapter; in `script`, where one is asked for and the title is Chinese."""
        return in_script(self.record.title, script) if script else self.record.title

    @field(semantic_non_null=True)
    async def page_count(self, info: Info) -> int | None:
        """Number of pages; one call to the site."""
        return len((await self._detail(info)).page_names)

    @field(semantic_non_null=True)
    async def pages(self, info: Info) -> list[Page] | None:
        """The pages in reading order; one call to the site."""
        detail = await self._detail(info)
        return [Page(chapter_id=detail.id, index=index) for index in range(1, len(detail.page_names) + 1)]

    @field(type=LazyType("ReadingProgress", "schema.reading") | None)  # not imported, since it imports this module
    async def progress(self, info: Info) -> ProgressRecord | None:
        """How far you have read it; null when you have not, and for a guest."""
        return await resolvers.reading.chapter_progress(info.context, self.record.id)

    async def _detail(self, info: Info) -> catalog.ChapterDetail:
        return await resolvers.albums.chapter_detail(info.context, self.record.id, self.album_id)


@object_type
class Comment:
    """A comment on an album."""

    record: strawberry.Private[catalog.CommentRecord]

    @field
    def id(self) -> strawberry.ID:
        """The comment's number."""
        return strawberry.ID(self.record.id)

    @field
    def author(self) -> str:
        """Name that the author shows.

        The nickname, else the user name.
        """
        return self.record.nickname or self.record.username

    @field
    def text(self) -> str:
        """What it says, as plain text."""
        return self.record.text

    @field
    def is_spoiler(self) -> bool:
        """True when it is a spoiler."""
        return self.record.is_spoiler

    @field
    def posted_at(self) -> str:
        """When, as the site words it."""
        return self.record.posted_at

    @field
    def likes(self) -> int | None:
        """Likes; null when the site does not tell."""
        return self.record.likes

    @field
    def replies(self) -> list[Comment]:
        """Answers to it."""
        return [Comment(record=reply) for reply in self.record.replies]


@object_type
class CommentPage:
    """A page of comments."""

    items: list[Comment] = strawberry.field(description="The comments of this page, newest first.")
    page: int = strawberry.field(description="1-based.")
    page_count: int = strawberry.field(description="Number of pages.")
    total: int = strawberry.field(description="Comments over all pages, answers not counted.")
    has_next_page: bool = strawberry.field(description="True when another page follows.")

    @classmethod
    def of(cls, record: catalog.CommentPageRecord) -> Self:
        """The view of a page of comments."""
        return cls(
            items=[Comment(record=comment) for comment in record.items],
            page=record.page,
            page_count=record.page_count,
            total=record.total,
            has_next_page=record.page < record.page_count,
        )
