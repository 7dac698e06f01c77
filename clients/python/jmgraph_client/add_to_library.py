from datetime import datetime
from typing import Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode


class AddToLibrary(BaseModel):
    add_to_library: Union[
        "AddToLibraryAddToLibraryLibraryEntry",
        "AddToLibraryAddToLibraryAlbumNotFound",
        "AddToLibraryAddToLibraryInvalidInput",
        "AddToLibraryAddToLibraryBlockedByPolicy",
        "AddToLibraryAddToLibraryUpstreamFailure",
    ] = Field(alias="addToLibrary", discriminator="typename__")


class AddToLibraryAddToLibraryLibraryEntry(BaseModel):
    typename__: Literal["LibraryEntry"] = Field(alias="__typename")
    added_at: datetime = Field(alias="addedAt")


class AddToLibraryAddToLibraryAlbumNotFound(BaseModel):
    typename__: Literal["AlbumNotFound"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    retryable: bool
    retry_after: Optional[int] = Field(alias="retryAfter")


class AddToLibraryAddToLibraryInvalidInput(BaseModel):
    typename__: Literal["InvalidInput"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    retryable: bool
    retry_after: Optional[int] = Field(alias="retryAfter")


class AddToLibraryAddToLibraryBlockedByPolicy(BaseModel):
    typename__: Literal["BlockedByPolicy"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    retryable: bool
    retry_after: Optional[int] = Field(alias="retryAfter")


class AddToLibraryAddToLibraryUpstreamFailure(BaseModel):
    typename__: Literal["UpstreamFailure"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    retryable: bool
    retry_after: Optional[int] = Field(alias="retryAfter")


AddToLibrary.model_rebuild()
