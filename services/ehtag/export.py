"""The whole database in the format of its official releases, and the three tools of the connector API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum
from typing import Any

import orjson

from services.ehtag.editing import CellSources, read_draft, read_without_namespace, written_row
from services.ehtag.markup.cells import Cell
from services.ehtag.records import CommitRecord, Namespace, NamespaceRecord, Signature, parse_raw_tag
from services.ehtag.snapshot import TagRecord, TagSnapshot
from services.ehtag.table import NEWLINES, parse_row
from services.errors import InvalidInput


class TagForm(StrEnum):
    """One form of every cell, or all of them at once."""

    FULL = "full"
    RAW = "raw"
    TEXT = "text"
    HTML = "html"
    AST = "ast"


_RENDERERS: dict[TagForm, Callable[[Cell], Any]] = {
    TagForm.FULL: lambda cell: {"raw": cell.raw, "text": cell.text, "html": cell.html, "ast": cell.ast},
    TagForm.RAW: lambda cell: cell.raw,
    TagForm.TEXT: lambda cell: cell.text,
    TagForm.HTML: lambda cell: cell.html,
    TagForm.AST: lambda cell: cell.ast,
}


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """The cells of a row: the first (in stored form where it is a tag) and the other three."""

    raw: str
    cells: CellSources


def render_record(record: TagRecord, form: TagForm) -> dict[str, Any]:
    """A record ready for JSON: `{"name": …, "intro": …, "links": …}`.

    Each cell is a string, a list of nodes (AST), or `{"raw", "text", "html", "ast"}` (FULL).
    """
    render = _RENDERERS[form]
    return {"name": render(record.name), "intro": render(record.intro), "links": render(record.links)}


def export(snapshot: TagSnapshot, form: TagForm) -> Iterator[bytes]:
    """The release as JSON in UTF-8, in chunks.

    `{"repo", "head", "version", "data": [{"namespace", "frontMatters", "count", "data": {raw: record}}]}`, byte for
    byte as `JSON.stringify` gives it. What is rendered on the way is not kept.
    """
    yield b'{"repo":%b,"head":%b,"version":%d,"data":[' % (
        orjson.dumps(snapshot.repo),
        orjson.dumps(commit_form(snapshot.commit)),
        snapshot.version,
    )
    for position, info in enumerate(snapshot.namespaces):
        yield b"," * (position > 0)
        yield from _namespace(snapshot, info, form)
    yield b"]}"


def commit_form(commit: CommitRecord) -> dict[str, Any]:
    """A commit as releases show it: sha, message, author, committer."""
    return {
        "sha": commit.sha,
        "message": commit.message.rstrip("\n"),
        "author": _signature(commit.author),
        "committer": _signature(commit.committer),
    }


def normalise_record(snapshot: TagSnapshot, namespace: Namespace | None, raw: str, cells: CellSources) -> TagRecord:
    """The record these cells make, its cells' `raw` being the canonical form.

    Within a namespace references are looked up, and `problems_of` lists what is wrong; without one they stay as
    written.
    """
    return read_without_namespace(cells) if namespace is None else read_draft(snapshot, namespace, raw, cells)


def serialise_record(raw: str, record: TagRecord) -> str:
    """One table row, no line ending. Raises `InvalidInput` when no row can hold these cells."""
    return written_row(raw, *(cell.raw for cell in record.cells))


def parse_row_text(text: str) -> ParsedRow:
    """The one row in a text. Raises `InvalidInput` for no row, or more than one line that is not blank."""
    lines = [line for line in NEWLINES.split(text) if line.strip()]
    row = parse_row(lines[0]) if len(lines) == 1 else None
    if row is None:
        raise InvalidInput("body", "There must be one row of a table: | raw | name | intro | links |")
    return ParsedRow(parse_raw_tag(row.raw) or row.raw, CellSources(row.name, row.intro, row.links))


def _namespace(snapshot: TagSnapshot, info: NamespaceRecord, form: TagForm) -> Iterator[bytes]:
    yield b'{"namespace":%b,"frontMatters":%b,"count":%d,"data":{' % (
        orjson.dumps(info.namespace.value),
        orjson.dumps(info.front_matters),
        info.count,
    )
    for position, record in enumerate(snapshot.records_uncached(info.namespace)):
        yield b"%b%b:%b" % (b"," * (position > 0), orjson.dumps(record.raw), _record(record, form))
    yield b"}}"


def _record(record: TagRecord, form: TagForm) -> bytes:
    return orjson.dumps(render_record(record, form))


def _signature(signature: Signature) -> dict[str, str]:
    when = signature.when.astimezone(UTC)
    return {
        "name": signature.name,
        "email": signature.email,
        "when": f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z",
    }
