"""Bodies and parameters of the EhTag API. What has cells differs by the form that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta

from rest.operations import JSON, Body, Parameter, path
from rest.responses import ResponseBody
from services.ehtag import TagForm

MEDIA_TYPES: Mapping[TagForm, str] = {
    TagForm.FULL: "application/json",
    TagForm.RAW: "application/raw+json",
    TagForm.HTML: "application/html+json",
    TagForm.TEXT: "application/text+json",
    TagForm.AST: "application/ast+json",
}

CellT = TypeVar("CellT")
RecordT = TypeVar("RecordT")


class NodeBody(msgspec.Struct):
    """A node of a cell's syntax tree; other fields depend on its type."""

    type: str


class CellBody(ResponseBody):
    """A cell in every form."""

    raw: str
    text: str
    html: str
    ast: list[NodeBody]


class LogBody(ResponseBody):
    """A problem of a record."""

    logger: str
    message: str


class RecordBody(ResponseBody, Generic[CellT]):
    """A record of the tag database."""

    name: CellT
    intro: CellT
    links: CellT


class CheckedRecordBody(ResponseBody, Generic[CellT]):
    """A record and its problems."""

    name: CellT
    intro: CellT
    links: CellT
    logs: list[LogBody]


class ParsedRowBody(ResponseBody, Generic[RecordT]):
    """A table row: its raw tag and its record."""

    key: str
    value: RecordT


class CheckedRowBody(ResponseBody, Generic[CellT]):
    """A table row within a namespace, and its problems."""

    raw: str
    name: CellT
    intro: CellT
    links: CellT
    logs: list[LogBody]


class SignatureBody(ResponseBody):
    """Who committed, and when."""

    name: str
    email: str
    when: str | float


class HeadBody(ResponseBody):
    """The newest commit."""

    author: SignatureBody
    committer: SignatureBody
    sha: str
    message: str


class NamespaceBody(ResponseBody, rename="camel"):
    """A namespace, the number of its tags and the front matter of its file."""

    namespace: str
    count: int
    front_matters: dict[str, Any]


class DatabaseBody(ResponseBody):
    """The newest commit, and each namespace."""

    repo: str
    head: HeadBody
    version: int
    data: list[NamespaceBody]


class BadgeBody(ResponseBody, rename="camel"):
    """A badge of shields.io."""

    schema_version: Literal[1]
    label: str
    message: str
    is_error: bool


class WebhookBody(ResponseBody):
    """What a webhook event led to; `sha` is the version since then."""

    event: str
    outcome: str
    sha: str


class EmptyBody(ResponseBody):
    """An object without fields: a comment row has no record."""


class CellsBody(msgspec.Struct):
    """Cells as raw text; other fields are ignored."""

    name: str
    intro: str
    links: str


class FullRecord(RecordBody[CellBody]):
    """A record with its cells in every form."""


class TextRecord(RecordBody[str]):
    """A record with its cells as raw text, HTML or plain text."""


class AstRecord(RecordBody[list[NodeBody]]):
    """A record with its cells as syntax trees."""


class FullCheckedRecord(CheckedRecordBody[CellBody]):
    """A record with its cells in every form, and its problems."""


class TextCheckedRecord(CheckedRecordBody[str]):
    """A record with its cells as raw text, HTML or plain text, and its problems."""


class AstCheckedRecord(CheckedRecordBody[list[NodeBody]]):
    """A record with its cells as syntax trees, and its problems."""


class FullParsedRow(ParsedRowBody[FullRecord]):
    """A table row with its cells in every form."""


class TextParsedRow(ParsedRowBody[TextRecord]):
    """A table row with its cells as raw text, HTML or plain text."""


class AstParsedRow(ParsedRowBody[AstRecord]):
    """A table row with its cells as syntax trees."""


class FullCheckedRow(CheckedRowBody[CellBody]):
    """A table row with its cells in every form, and its problems."""


class TextCheckedRow(CheckedRowBody[str]):
    """A table row with its cells as raw text, HTML or plain text, and its problems."""


class AstCheckedRow(CheckedRowBody[list[NodeBody]]):
    """A table row with its cells as syntax trees, and its problems."""


def _by_form(full: Any, text: Any, ast: Any) -> Body:
    return {
        MEDIA_TYPES[TagForm.FULL]: full,
        MEDIA_TYPES[TagForm.RAW]: text,
        MEDIA_TYPES[TagForm.HTML]: text,
        MEDIA_TYPES[TagForm.TEXT]: text,
        MEDIA_TYPES[TagForm.AST]: ast,
    }


def in_every_form(type: Any) -> Body:
    """A body without cells: the same whatever form is asked for."""
    return _by_form(type, type, type)


RECORD = _by_form(FullRecord, TextRecord, AstRecord)
ADDED_COMMENT = _by_form((FullRecord, EmptyBody), (TextRecord, EmptyBody), (AstRecord, EmptyBody))
NORMALISED = _by_form((FullRecord, FullCheckedRecord), (TextRecord, TextCheckedRecord), (AstRecord, AstCheckedRecord))
PARSED = _by_form((FullParsedRow, FullCheckedRow), (TextParsedRow, TextCheckedRow), (AstParsedRow, AstCheckedRow))
CELLS: Body = {
    JSON: Annotated[
        CellsBody,
        Meta(extra_json_schema={"example": {"name": "雨林", "intro": "Warm and wet.", "links": ""}}),
    ]
}
ROW: Body = {"text/plain": str}
EVENT: Body = {JSON: dict[str, Any]}

RawTag = Annotated[str, Meta(pattern=r"^[-a-z0-9.]([-a-z0-9. ]*[-a-z0-9.])?$")]

NAMESPACE = path("namespace", "Full name of a namespace, or an alias of it, in any case.", str, "female")
RAW = path("raw", "Raw tag.", RawTag, "glasses")
FORMAT = Parameter(
    "format",
    "Form of the cells, in any case; takes precedence over `Accept`, unless it is empty.",
    Literal["", "json", "full.json", "raw.json", "html.json", "text.json", "ast.json"],
)
MEDIA_FORMAT = Parameter(
    "format", "Which media type to answer with, as for a record; an unknown one is ignored, since there are no cells."
)
POSITION = (
    Parameter("before", "Raw tag of the row to insert before.", RawTag),
    Parameter("after", "Raw tag of the row to insert after; not together with `before`.", RawTag),
)
