"""The forms a record is asked in: by `?format=`, else by `Accept`, else in full."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from resolvers.headers import qualities
from services.ehtag import TagForm, TagRecord, render_record
from services.errors import InvalidInput

_MEDIA_TYPES: dict[TagForm, str] = {
    TagForm.FULL: "application/json",
    TagForm.RAW: "application/raw+json",
    TagForm.HTML: "application/html+json",
    TagForm.TEXT: "application/text+json",
    TagForm.AST: "application/ast+json",
}
_LABELS: dict[str, TagForm] = {
    "json": TagForm.FULL,
    "raw.json": TagForm.RAW,
    "html.json": TagForm.HTML,
    "text.json": TagForm.TEXT,
    "ast.json": TagForm.AST,
}

MEDIA_TYPES = tuple(_MEDIA_TYPES.values())


def form_of(request: Request) -> TagForm:
    """The form a request asks for; an `Accept` that names none of them gets the full one. Raises `InvalidInput`."""
    label = request.query_params.get("format")
    if label is None:
        return _accepted(request.headers.get("accept", ""))
    if label not in _LABELS:
        raise InvalidInput("format", f"format must be one of {', '.join(_LABELS)}.")
    return _LABELS[label]


def record_in(form: TagForm, record: TagRecord) -> dict[str, Any]:
    """A record's cells: `{"name": …, "intro": …, "links": …}`."""
    return render_record(record, form)


def response_in(form: TagForm, body: Any, status: int = 200, **headers: str) -> Response:
    """An answer in this form; what the keywords name are headers."""
    return Response(orjson.dumps(body), status, headers, media_type=_MEDIA_TYPES[form])


def _accepted(accept: str) -> TagForm:
    wanted = qualities(accept)
    best = max(_MEDIA_TYPES, key=lambda form: wanted.get(_MEDIA_TYPES[form], 0.0))  # the first of equals
    liking = wanted.get(_MEDIA_TYPES[best], 0.0)
    rest = max(wanted.get("application/*", 0.0), wanted.get("*/*", 0.0))
    return best if 0 < liking >= rest else TagForm.FULL
