from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .enums import ArchiveFormat, ImageFormat, LibraryOrder


class LibraryFilter(BaseModel):
    """Which entries, and in which order."""

    has_new: Optional[bool] = Field(alias="hasNew", default=None)
    "Those with new chapters, or those without; both when left out."
    query: Optional[str] = None
    "Words of titles, in any script and case, or an album's number."
    order_by: Optional[LibraryOrder] = Field(alias="orderBy", default=None)
    "ADDED when left out."


class LoginInput(BaseModel):
    """A name and its password."""

    name: str
    "In any case."
    password: str
    "Its password."


class SetReadingProgressInput(BaseModel):
    """A page that was read."""

    album_id: str = Field(alias="albumId")
    "The album, which lists the chapter."
    chapter_id: str = Field(alias="chapterId")
    "The chapter."
    page: int
    "1-based."
    device: Optional[str] = None
    "Which device it was read on, for the reader: at most 100 characters."
    read_at: Optional[datetime] = Field(alias="readAt", default=None)
    "When, for what a device reports later; now when left out. What lies in the future, by a clock that is ahead, is now."


class StartDownloadInput(BaseModel):
    """What to download and how."""

    album_id: str = Field(alias="albumId")
    "'350234', 'JM350234' or an album URL. A chapter's number or URL downloads that chapter alone, unless chapterIds are given; a number that is an album's and its first chapter's is the album's."
    chapter_ids: Optional[list[str]] = Field(alias="chapterIds", default=None)
    "Chapter ids; all chapters when left out."
    archive: ArchiveFormat = ArchiveFormat.ZIP
    "Kind of archive."
    image: ImageFormat = ImageFormat.ORIGINAL
    "Format of its pages."
    quality: int = 90
    "1-100, for JPEG and WEBP; ORIGINAL keeps the site's own level (about 80) where a page must be encoded again."
    force: bool = False
    "Queue a new one even where the same is queued, running or ready."
    allow_missing: bool = Field(alias="allowMissing", default=False)
    "Make the archive even where pages can't be had, with a plain page in the place of each."
    keep: bool = False
    "Put it into the library, where it never expires: a CBZ (or PDF) for each chapter, as reading servers scan them. One that is queued, running or ready already is kept too."
