"""The library: albums that the viewer keeps an eye on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

import strawberry

import resolvers.library
from schema.album_parts import Chapter
from schema.albums import Album
from schema.enums import LibraryOrder
from schema.errors import AlbumNotFoundResult, BlockedByPolicyResult, InvalidInputResult, UpstreamFailureResult
from schema.fields import Info, PageInfo, field, input_type, object_type
from services import library


@object_type
class LibraryEntry:
    """An album that you keep an eye on."""

    album: Album = strawberry.field(description="The album.")
    added_at: datetime = strawberry.field(description="When you added it.")
    auto_download: bool = strawberry.field(
        description="Whether each new chapter is downloaded and kept, as a CBZ of its own, when it is found."
    )
    notify: bool = strawberry.field(description="Whether you are notified of new chapters.")
    last_checked_at: datetime | None = strawberry.field(
        description="When its chapters were last looked at; null before the first time."
    )
    last_error: str | None = strawberry.field(description="Why they could not be read then; null when they could.")

    @classmethod
    def of(cls, record: library.LibraryRecord) -> Self:
        """The view of an entry."""
        return cls(
            album=Album.of(record.album),
            added_at=record.added_at,
            auto_download=record.auto_download,
            notify=record.notify,
            last_checked_at=record.last_checked_at,
            last_error=record.last_error,
        )

    @field
    async def new_chapters(self, info: Info) -> list[Chapter]:
        """Chapters that were not there when you added it and that you have not read, in reading order."""
        unread = await resolvers.library.unread_chapters(info.context, self.album.id)
        return [Chapter.of(chapter, self.album.id) for chapter in unread.new]

    @field
    async def unread_count(self, info: Info) -> int:
        """How many of its chapters you have not read to the end."""
        return (await resolvers.library.unread_chapters(info.context, self.album.id)).count


@object_type
class LibraryEdge:
    """An entry and its cursor."""

    cursor: str = strawberry.field(description="Opaque; goes into `after`, with the same order.")
    node: LibraryEntry = strawberry.field(description="The entry.")


@object_type
class LibraryConnection:
    """A page of your library."""

    edges: list[LibraryEdge] = strawberry.field(description="Entries with cursors.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    total_count: int = strawberry.field(description="Entries over all pages.")

    @field
    def nodes(self) -> list[LibraryEntry]:
        """The entries, without cursors."""
        return [edge.node for edge in self.edges]

    @classmethod
    def of(cls, page: library.LibraryPage) -> Self:
        """The view of a page of a library."""
        edges = [
            LibraryEdge(cursor=cursor, node=LibraryEntry.of(record))
            for cursor, record in zip(page.cursors, page.items, strict=True)
        ]
        return cls(
            edges=edges,
            page_info=PageInfo.of(page.cursors, has_next=page.has_next, has_previous=page.has_previous),
            total_count=page.total,
        )


@input_type
class LibraryFilter:
    """Which entries, and in which order."""

    has_new: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Those with new chapters, or those without; both when left out."
    )
    query: str | None = strawberry.field(
        default=strawberry.UNSET, description="Words of titles, in any script and case, or an album's number."
    )
    order_by: LibraryOrder | None = strawberry.field(default=strawberry.UNSET, description="ADDED when left out.")


@input_type
class AddToLibraryInput:
    """An album to keep an eye on."""

    album_id: strawberry.ID = strawberry.field(description="'350234', 'JM350234' or an album URL.")
    auto_download: bool = strawberry.field(
        default=False, description="Download and keep each new chapter, as a CBZ of its own, when it is found."
    )
    notify: bool = strawberry.field(default=True, description="Be notified of new chapters.")


AddToLibraryResult = Annotated[
    LibraryEntry | AlbumNotFoundResult | InvalidInputResult | BlockedByPolicyResult | UpstreamFailureResult,
    strawberry.union("AddToLibraryResult", description="The entry, or why there is none."),
]
