from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .enums import DownloadState, ErrorCode


class AlbumCard(BaseModel):
    id: str
    title: str
    cover: "AlbumCardCover"


class AlbumCardCover(BaseModel):
    url: str
    placeholder: Optional[str]


class AlbumsOfPage(BaseModel):
    page: int
    page_count: int = Field(alias="pageCount")
    total: int
    has_next_page: bool = Field(alias="hasNextPage")
    items: list["AlbumsOfPageItems"]


class AlbumsOfPageItems(AlbumCard):
    pass


class DownloadCard(BaseModel):
    id: str
    revision: int
    album_id: str = Field(alias="albumId")
    title: str
    state: DownloadState
    progress: "DownloadCardProgress"
    problem: Optional["DownloadCardProblem"]
    file: Optional["DownloadCardFile"]


class DownloadCardProgress(BaseModel):
    pages_done: int = Field(alias="pagesDone")
    pages_total: Optional[int] = Field(alias="pagesTotal")
    percent: float
    eta_seconds: Optional[float] = Field(alias="etaSeconds")


class DownloadCardProblem(BaseModel):
    code: ErrorCode
    message: str
    retryable: bool
    missing_pages: list[str] = Field(alias="missingPages")


class DownloadCardFile(BaseModel):
    name: str
    size: int
    sha_256: str = Field(alias="sha256")
    url: str


class Progress(BaseModel):
    album: "ProgressAlbum"
    chapter: "ProgressChapter"
    page: int
    page_count: int = Field(alias="pageCount")
    is_finished: bool = Field(alias="isFinished")
    read_at: datetime = Field(alias="readAt")


class ProgressAlbum(AlbumCard):
    pass


class ProgressChapter(BaseModel):
    id: str
    title: str


class TranslatedTag(BaseModel):
    name: str
    translation: Optional["TranslatedTagTranslation"]


class TranslatedTagTranslation(BaseModel):
    id: str
    name: str


AlbumCard.model_rebuild()
AlbumsOfPage.model_rebuild()
DownloadCard.model_rebuild()
Progress.model_rebuild()
TranslatedTag.model_rebuild()
