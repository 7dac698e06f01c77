from typing import Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode
from .fragments import (  # noqa: F401
    DownloadCard,
    DownloadCardFile,
    DownloadCardProblem,
    DownloadCardProgress,
)


class CancelDownload(BaseModel):
    cancel_download: Union[
        "CancelDownloadCancelDownloadDownload",
        "CancelDownloadCancelDownloadDownloadNotFound",
        "CancelDownloadCancelDownloadBlockedByPolicy",
        "CancelDownloadCancelDownloadQueueRejected",
    ] = Field(alias="cancelDownload", discriminator="typename__")


class CancelDownloadCancelDownloadDownload(DownloadCard):
    typename__: Literal["Download"] = Field(alias="__typename")


class CancelDownloadCancelDownloadDownloadNotFound(BaseModel):
    typename__: Literal["DownloadNotFound"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    retryable: bool
    retry_after: Optional[int] = Field(alias="retryAfter")


class CancelDownloadCancelDownloadBlockedByPolicy(BaseModel):
    typename__: Literal["BlockedByPolicy"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    retryable: bool
    retry_after: Optional[int] = Field(alias="retryAfter")


class CancelDownloadCancelDownloadQueueRejected(BaseModel):
    typename__: Literal["QueueRejected"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    retryable: bool
    retry_after: Optional[int] = Field(alias="retryAfter")


CancelDownload.model_rebuild()
