from typing import Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode
from .fragments import Progress, ProgressAlbum, ProgressChapter  # noqa: F401


class SetReadingProgress(BaseModel):
    set_reading_progress: Union[
        "SetReadingProgressSetReadingProgressReadingProgress",
        "SetReadingProgressSetReadingProgressChapterNotFound",
        "SetReadingProgressSetReadingProgressInvalidInput",
    ] = Field(alias="setReadingProgress", discriminator="typename__")


class SetReadingProgressSetReadingProgressReadingProgress(Progress):
    typename__: Literal["ReadingProgress"] = Field(alias="__typename")


class SetReadingProgressSetReadingProgressChapterNotFound(BaseModel):
    typename__: Literal["ChapterNotFound"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    retryable: bool
    retry_after: Optional[int] = Field(alias="retryAfter")


class SetReadingProgressSetReadingProgressInvalidInput(BaseModel):
    typename__: Literal["InvalidInput"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    retryable: bool
    retry_after: Optional[int] = Field(alias="retryAfter")


SetReadingProgress.model_rebuild()
