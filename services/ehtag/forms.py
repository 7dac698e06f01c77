"""The forms that records are given out in."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from services.ehtag.markup.cells import Cell
from services.ehtag.tags import TagRecord


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


def render_record(record: TagRecord, form: TagForm) -> dict[str, Any]:
    """A record ready for JSON: `{"name": …, "intro": …, "links": …}`.

    Each cell is a string, a list of nodes (AST), or `{"raw", "text", "html", "ast"}` (FULL).
    """
    render = _RENDERERS[form]
    return {"name": render(record.name), "intro": render(record.intro), "links": render(record.links)}
