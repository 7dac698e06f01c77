"""Editing the tag database over HTTP: one commit a call."""

from __future__ import annotations

from urllib.parse import quote

from starlette.responses import Response

from rest.ehtag.endpoint import BASE, quoted
from rest.ehtag.formats import record_in, response_in
from rest.ehtag.requests import Call, Writing, read_cells
from services.ehtag import EditResult


async def add(writing: Writing) -> Response:
    """Add a tag."""
    call, cells = writing.call, read_cells(writing.body)
    edit = await call.tags.add(
        call.namespace, call.raw, cells, place=call.place, if_match=writing.if_match, user=writing.user
    )
    return _created(call, edit, _address(call, call.raw))


async def comment(writing: Writing) -> Response:
    """Add a comment row."""
    call, cells = writing.call, read_cells(writing.body)
    edit = await call.tags.add_comment(
        call.namespace, cells, place=call.place, if_match=writing.if_match, user=writing.user
    )
    return _created(call, edit, _address(call))


async def update(writing: Writing) -> Response:
    """Change a tag; 204 when it says the same already."""
    call, cells = writing.call, read_cells(writing.body)
    edit = await call.tags.update(call.namespace, call.raw, cells, if_match=writing.if_match, user=writing.user)
    if edit.record is None:
        return Response(status_code=204, headers={"ETag": quoted(edit.sha)})
    return response_in(call.form, record_in(call.form, edit.record), ETag=quoted(edit.sha))


async def remove(writing: Writing) -> Response:
    """Remove a tag."""
    call = writing.call
    edit = await call.tags.remove(call.namespace, call.raw, if_match=writing.if_match, user=writing.user)
    return Response(status_code=204, headers={"ETag": quoted(edit.sha)})


def _created(call: Call, edit: EditResult, address: str) -> Response:
    body = record_in(call.form, edit.record) if edit.record else {}
    return response_in(call.form, body, 201, ETag=quoted(edit.sha), Location=address)


def _address(call: Call, *parts: str) -> str:
    """The address of a namespace or of one of its records, below the sub-path a proxy serves us under."""
    prefix = call.request.scope.get("root_path", "")
    return "/".join((f"{prefix}{BASE}/database", call.namespace.value, *(quote(part, safe="") for part in parts)))
