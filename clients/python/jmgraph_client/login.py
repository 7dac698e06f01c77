from datetime import datetime
from typing import Literal, Optional, Union

from pydantic import Field

from .base_model import BaseModel
from .enums import ErrorCode


class Login(BaseModel):
    login: Union[
        "LoginLoginSession",
        "LoginLoginInvalidCredentials",
        "LoginLoginRateLimited",
        "LoginLoginAccessDenied",
        "LoginLoginUpstreamFailure",
    ] = Field(discriminator="typename__")


class LoginLoginSession(BaseModel):
    typename__: Literal["Session"] = Field(alias="__typename")
    token: str
    expires_at: datetime = Field(alias="expiresAt")
    user: "LoginLoginSessionUser"


class LoginLoginSessionUser(BaseModel):
    id: str
    name: str


class LoginLoginInvalidCredentials(BaseModel):
    typename__: Literal["InvalidCredentials"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    retryable: bool
    retry_after: Optional[int] = Field(alias="retryAfter")


class LoginLoginRateLimited(BaseModel):
    typename__: Literal["RateLimited"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    retryable: bool
    retry_after: Optional[int] = Field(alias="retryAfter")


class LoginLoginAccessDenied(BaseModel):
    typename__: Literal["AccessDenied"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    retryable: bool
    retry_after: Optional[int] = Field(alias="retryAfter")


class LoginLoginUpstreamFailure(BaseModel):
    typename__: Literal["UpstreamFailure"] = Field(alias="__typename")
    code: ErrorCode
    message: str
    retryable: bool
    retry_after: Optional[int] = Field(alias="retryAfter")


Login.model_rebuild()
LoginLoginSession.model_rebuild()
