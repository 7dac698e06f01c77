"""Bodies and parameters of the legacy API: names and value types as its clients know them."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request

from rest.operations import SAMPLE_ALBUM, AlbumNumber, Digits, Parameter, path
from rest.parameters import parse_finite_number
from rest.responses import ResponseBody

APP: Literal["jmcomic_server_api"] = "jmcomic_server_api"
VERSION: Literal["1.0"] = "1.0"
"""Of the legacy API, not of this server: its clients compare them."""

MAX_CLIENT_ID_LENGTH = 200
DEFAULT_WAIT_S = 25.0
"""For the oldest clients, which do not say how long they wait."""
MAX_WAIT_S = 60.0

_CLIENT_ID = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{MAX_CLIENT_ID_LENGTH}}}")
_NO_CONTROL_CHARACTERS = r"^[^\u0000-\u001f\u007f-\u009f]*$"
_UNSAFE = r'/\\:*?"<>|\u0000-\u001f\u007f-\u009f'

ClientId = Annotated[str, Meta(min_length=1, max_length=MAX_CLIENT_ID_LENGTH, pattern=_NO_CONTROL_CHARACTERS)]
SearchText = Annotated[str, Meta(max_length=199, pattern=_NO_CONTROL_CHARACTERS)]
FileName = Annotated[str, Meta(min_length=1, max_length=200, pattern=f"^[^.{_UNSAFE}][^{_UNSAFE}]*$")]

ALBUM_ID = path("aid", "Number of the album.", AlbumNumber, SAMPLE_ALBUM)
CLIENT_ID = path("client_id", "The id that the client gave itself.", ClientId, "phone")
WAIT = Parameter("wait", "Seconds to wait; 25 when left out.", Annotated[float, Meta(ge=0, le=60)], 0)


class Detail(ResponseBody):
    """The error body of the legacy API."""

    detail: str


class FileError(ResponseBody):
    """The error body of its files."""

    status: Literal["error"]
    msg: str


class Health(ResponseBody):
    """The server runs."""

    status: Literal["ok"]
    app: Literal["jmcomic_server_api"]
    version: Literal["1.0"]


class Clock(ResponseBody):
    """How long a request took to arrive: `latency` is in whole milliseconds."""

    status: Literal["ok"]
    app: Literal["jmcomic_server_api"]
    latency: Annotated[str, Meta(pattern="^-?[0-9]+$")]
    version: Literal["1.0"]


class RankedAlbum(ResponseBody):
    """An album of a ranking."""

    aid: Digits
    title: str


class FoundAlbum(ResponseBody):
    """An album that a search found."""

    album_id: Digits
    title: str


class AlbumInfo(ResponseBody):
    """What the clients show of an album; all counts are strings of digits."""

    status: Literal["success"]
    tag: tuple[str, ...]
    view_count: Digits
    like_count: Digits
    page_count: Digits
    method: Literal["html", "api"]


class CommentBody(ResponseBody):
    """A comment and its replies."""

    comment_id: str
    album_id: str
    user_id: str
    parent_comment_id: str | None
    content: str
    username: str
    nickname: str
    is_spoiler: bool
    created_at: str
    likes: int | None
    replies: list[CommentBody]


class CommentsBody(ResponseBody):
    """A page of an album's comments."""

    aid: str
    page: int
    page_size: int
    total: int
    page_count: int
    comment_count: int
    comments: list[CommentBody]


class DownloadClient(msgspec.Struct):
    """Who starts a download; other fields are ignored."""

    client_id: ClientId


class DownloadStarted(ResponseBody):
    """The download was started; its end comes as a notification."""

    status: Literal["processing"]
    message: str


class DownloadFinished(ResponseBody):
    """The file is ready."""

    status: Literal["success"]
    msg: Literal["download_ready"]
    file_name: str


class NotificationBody(ResponseBody):
    """What became of a download; `file_name` is empty for an error."""

    status: Literal["download_ready", "error"]
    file_name: str
    message: str


class LoginBody(msgspec.Struct):
    """A name and a password of the site; other fields are ignored."""

    username: str
    password: str


class LoggedIn(ResponseBody):
    """The session has begun: `username` as the site spells it, `token` for later requests."""

    status: Literal["success"]
    username: str
    token: Annotated[str, Meta(pattern="^jmg_")]


class LoggedOut(ResponseBody):
    """The session has ended."""

    status: Literal["success"]


class Folder(ResponseBody):
    """A folder of favourites."""

    folder_id: Digits
    name: str


class FavoriteLine(ResponseBody):
    """A favourite of a list."""

    aid: Digits
    title: str


class FavoriteChanged(ResponseBody):
    """Whether an album is a favourite now."""

    status: Literal["success"]
    aid: Digits
    favorite: bool


def is_client_id(text: object) -> bool:
    """True for a text of 1 to 200 characters without control characters."""
    return isinstance(text, str) and _CLIENT_ID.fullmatch(text) is not None


def wait_seconds(request: Request) -> float | None:
    """The `wait` of the query, 0 to 60 seconds; None when it is invalid."""
    wait_s = parse_finite_number(request.query_params.get("wait", str(DEFAULT_WAIT_S)))
    return wait_s if wait_s is not None and 0 <= wait_s <= MAX_WAIT_S else None
