"""The bodies of the old API, as JSON schemas."""

from __future__ import annotations

from rest.operations import JSON, Bodies, Parameter, Schema
from rest.schemas import ALBUM, DIGITS, FLAG, INTEGER, SAMPLE_ALBUM, TEXT, constant, list_of, maybe, record
from rest.v1.clients import LONGEST_CLIENT_ID
from rest.v1.errors import APP, VERSION

DETAIL = record("Detail", detail=TEXT)
FILE_ERROR = record("FileError", status=constant("error"), msg=TEXT)

HEALTH: Bodies = {JSON: record("Health", status=constant("ok"), app=constant(APP), version=constant(VERSION))}
CLOCK: Bodies = {
    JSON: record(
        "Clock",
        status=constant("ok"),
        app=constant(APP),
        latency={"type": "string", "pattern": "^-?[0-9]+$"},
        version=constant(VERSION),
    )
}
RANKING: Bodies = {JSON: list_of(record("RankedAlbum", aid=DIGITS, title=TEXT))}
FOUND: Bodies = {JSON: list_of(record("FoundAlbum", album_id=DIGITS, title=TEXT))}
ALBUM_INFO: Bodies = {
    JSON: record(
        "AlbumInfo",
        status=constant("success"),
        tag=list_of(TEXT),
        view_count=DIGITS,
        like_count=DIGITS,
        page_count=DIGITS,
        method={"type": "string", "enum": ["html", "api"]},
    )
}
COMMENT: Schema = record(
    "Comment",
    comment_id=TEXT,
    album_id=TEXT,
    user_id=TEXT,
    parent_comment_id=maybe(TEXT),
    content=TEXT,
    username=TEXT,
    nickname=TEXT,
    is_spoiler=FLAG,
    created_at=TEXT,
    likes=maybe(INTEGER),
    replies={"type": "array", "items": {"$ref": "#/components/schemas/Comment"}},
)
COMMENTS: Bodies = {
    JSON: record(
        "Comments",
        aid=TEXT,
        page=INTEGER,
        page_size=INTEGER,
        total=INTEGER,
        page_count=INTEGER,
        comment_count=INTEGER,
        comments=list_of(COMMENT),
    )
}
PROCESSING = record("Processing", status=constant("processing"), message=TEXT)
READY: Bodies = {
    JSON: record("DownloadReady", status=constant("success"), msg=constant("download_ready"), file_name=TEXT)
}
NOTICES: Bodies = {
    JSON: list_of(
        record(
            "Notification",
            status={"type": "string", "enum": ["download_ready", "error"]},
            file_name=TEXT,
            message=TEXT,
        )
    )
}

CLIENT_ID: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGEST_CLIENT_ID,
    "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$",
}
CLIENT: Bodies = {
    JSON: {"title": "Client", "type": "object", "properties": {"client_id": CLIENT_ID}, "required": ["client_id"]}
}

_UNSAFE = r'/\\:*?"<>|\u0000-\u001f\u007f-\u009f'

AID = Parameter("Number of the album.", ALBUM, SAMPLE_ALBUM, required=True)
WAIT = Parameter("Seconds to wait; 25 when left out.", {"type": "number", "minimum": 0, "maximum": 60}, 0)
FILE_NAME = Parameter(
    "Name that a notice gave.",
    {"type": "string", "minLength": 1, "maxLength": 200, "pattern": f"^[^.{_UNSAFE}][^{_UNSAFE}]*$"},
    required=True,
)
