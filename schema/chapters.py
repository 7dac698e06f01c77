"""A chapter of an album and its pages."""

from __future__ import annotations

import strawberry

from resolvers import chapters
from schema.fields import Info, semantic
from services.catalog import ChapterRef


@strawberry.type(description="A page of a chapter, readable.")
class Page:
    """View of one page."""

    chapter_id: strawberry.Private[str]
    index: int = strawberry.field(description="1-based.")

    @strawberry.field(description="Absolute URL of the readable (unscrambled) image on this server.")
    def url(self, info: Info) -> str:
        """Absolute address of the picture."""
        return info.context.url("images", "pages", self.chapter_id, self.index)


@strawberry.type(description="A chapter of an album. A single album is one chapter with the album's number.")
class Chapter:
    """View of a chapter as its album lists it."""

    record: strawberry.Private[ChapterRef]

    @strawberry.field(description="The chapter's JM number, as digits.")
    def id(self) -> strawberry.ID:
        """The chapter's number."""
        return strawberry.ID(self.record.id)

    @strawberry.field(description="1-based, in reading order.")
    def index(self) -> int:
        """Place in the album."""
        return self.record.index

    @strawberry.field(description="Title of the chapter.")
    def title(self) -> str:
        """Title of the chapter."""
        return self.record.title

    @semantic("Number of pages; one call to the site.")
    async def page_count(self, info: Info) -> int | None:
        """Number of pages."""
        return len((await chapters.detail(info.context, self.record.id)).page_names)

    @semantic("The pages in reading order; one call to the site.")
    async def pages(self, info: Info) -> list[Page] | None:
        """The pages in reading order."""
        detail = await chapters.detail(info.context, self.record.id)
        return [Page(chapter_id=detail.id, index=index) for index in range(1, len(detail.page_names) + 1)]
