from datetime import date
from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import (
    AlbumCard,
    AlbumCardCover,  # noqa: F401
    TranslatedTag,
)


class AlbumDetails(BaseModel):
    album: Optional["AlbumDetailsAlbum"]


class AlbumDetailsAlbum(AlbumCard):
    description: Optional[str]
    page_count: Optional[int] = Field(alias="pageCount")
    published_on: Optional[date] = Field(alias="publishedOn")
    authors: Optional[list["AlbumDetailsAlbumAuthors"]]
    tags: Optional[list["AlbumDetailsAlbumTags"]]
    chapters: Optional[list["AlbumDetailsAlbumChapters"]]


AlbumDetailsAlbumAuthors = TranslatedTag
AlbumDetailsAlbumTags = TranslatedTag


class AlbumDetailsAlbumChapters(BaseModel):
    id: str
    index: int
    title: str


AlbumDetails.model_rebuild()
AlbumDetailsAlbum.model_rebuild()
