from typing import Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode, UpstreamReason
from .fragments import (  # noqa: F401
    DownloadCard,
    DownloadCardFile,
    DownloadCardProblem,
    DownloadCardProgress,
)


class StartDownload(BaseModel):
    start_download: Union[
        "StartDownloadStartDownloadDownload",
        "StartDownloadStartDownloadAlbumNotFound",
        "StartDownloadStartDownloadInvalidInput",
        "StartDownloadStartDownloadBlockedByPolicy",
        "StartDownloadStartDownloadQueueRejected",
        "StartDownloadStartDownloadUpstreamFailure",
    ] = Field(alias="startDownload", discriminator="typename__")


class StartDownloadStartDownloadDownload(DownloadCard):
    typename__: Literal["Download"] = Field(alias="__typename")


class StartDownloadStartDownloadAlbumNotFound(BaseModel):
    typename__: Literal["AlbumNotFound"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    retryable: bool
    retry_after: Optional[int] = Field(alias="retryAfter")
    album_id: str = Field(alias="albumId")


class StartDownloadStartDownloadInvalidInput(BaseModel):
    typename__: Literal["InvalidInput"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    retryable: bool
    retry_after: Optional[int] = Field(alias="retryAfter")
    field: str


class StartDownloadStartDownloadBlockedByPolicy(BaseModel):
    typename__: Literal["BlockedByPolicy"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    retryable: bool
    retry_after: Optional[int] = Field(alias="retryAfter")
    tags: list[str]


class StartDownloadStartDownloadQueueRejected(BaseModel):
    typename__: Literal["QueueRejected"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    retryable: bool
    retry_after: Optional[int] = Field(alias="retryAfter")


class StartDownloadStartDownloadUpstreamFailure(BaseModel):
    typename__: Literal["UpstreamFailure"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    retryable: bool
    retry_after: Optional[int] = Field(alias="retryAfter")
    reason: UpstreamReason


StartDownload.model_rebuild()
