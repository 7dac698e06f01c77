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


class RetryDownload(BaseModel):
    retry_download: Union[
        "RetryDownloadRetryDownloadDownload",
        "RetryDownloadRetryDownloadDownloadNotFound",
        "RetryDownloadRetryDownloadBlockedByPolicy",
        "RetryDownloadRetryDownloadQueueRejected",
    ] = Field(alias="retryDownload", discriminator="typename__")


class RetryDownloadRetryDownloadDownload(DownloadCard):
    typename__: Literal["Download"] = Field(alias="__typename")


class RetryDownloadRetryDownloadDownloadNotFound(BaseModel):
    typename__: Literal["DownloadNotFound"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    retryable: bool
    retry_after: Optional[int] = Field(alias="retryAfter")


class RetryDownloadRetryDownloadBlockedByPolicy(BaseModel):
    typename__: Literal["BlockedByPolicy"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    retryable: bool
    retry_after: Optional[int] = Field(alias="retryAfter")


class RetryDownloadRetryDownloadQueueRejected(BaseModel):
    typename__: Literal["QueueRejected"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    retryable: bool
    retry_after: Optional[int] = Field(alias="retryAfter")


RetryDownload.model_rebuild()
