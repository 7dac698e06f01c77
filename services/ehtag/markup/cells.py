"""A cell of a record: markdown in, raw, text, html and AST out, each made when it is first asked for and kept."""

from __future__ import annotations

import re
import threading
import unicodedata

from services.ehtag.markup import nodes
from services.ehtag.markup.javascript import trim
from services.ehtag.markup.nodes import Node
from services.ehtag.markup.reader import CellReader
from services.ehtag.markup.render import escape_text, render_html, render_raw, render_text

# what may be markup, a link, or a character that the parser replaces; everything else is text
_MAYBE_MARKUP = re.compile(r"[\n\r\0\\`*_\[<&:]|//")
_MAX_DEPTH = 24  # names that refer to names that refer to names

_reading = threading.local()  # the cells this thread is reading right now, outermost first


def plain_text(source: str) -> str | None:
    """The text of a cell that needs no parser, which is its raw form too; None when it may hold markup."""
    if _MAYBE_MARKUP.search(source):
        return None
    return trim(unicodedata.normalize("NFC", source))


class Cell:
    """One cell of a record. `source` is its markdown, trimmed."""

    __slots__ = ("_ast", "_html", "_is_plain", "_problems", "_raw", "_reader", "_text", "source")

    def __init__(self, source: str, reader: CellReader) -> None:
        self.source = source
        self._reader = reader
        self._is_plain: bool | None = None
        self._ast: list[Node] | None = None
        self._problems: tuple[str, ...] = ()
        self._raw: str | None = None
        self._text: str | None = None
        self._html: str | None = None

    @property
    def ast(self) -> list[Node]:
        """Paragraphs, not to be changed: `[{"type": "paragraph", "content": [{"type": "text", "text": "风"}]}]`."""
        if self._ast is None:
            if self._plain():
                self._ast = [nodes.container("paragraph", [nodes.text(self.text)])] if self.text else []
            else:
                self._ast, self._problems = self._read()
        return self._ast

    @property
    def raw(self) -> str:
        """Canonical markdown, as it is written into the table (newlines and `|` not yet escaped)."""
        if self._raw is None and not self._plain():
            self._raw = render_raw(self.ast)
        return self._raw or ""

    @property
    def text(self) -> str:
        """Plain text."""
        if self._text is None and not self._plain():
            self._text = render_text(self.ast)
        return self._text or ""

    @property
    def html(self) -> str:
        """HTML that is safe to insert: no markup of the source survives."""
        if self._html is None:
            if not self._plain():
                self._html = render_html(self.ast)
            else:
                self._html = f"<p>{escape_text(self.text)}</p>" if self.text else ""
        return self._html

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong in it, a line each: references to nothing, links that are none."""
        _ = self.ast
        return self._problems

    @property
    def can_be_read(self) -> bool:
        """False while this thread is reading it, or too many others: asking for a form now would not end."""
        active: list[Cell] = getattr(_reading, "cells", [])
        return len(active) < _MAX_DEPTH and self not in active

    def _plain(self) -> bool:
        """Whether the cell needs no parser; its raw form and its text are known then."""
        if self._is_plain is None:
            self._raw = self._text = plain_text(self.source)
            self._is_plain = self._text is not None
        return self._is_plain

    def _read(self) -> tuple[list[Node], tuple[str, ...]]:
        active: list[Cell] = _reading.__dict__.setdefault("cells", [])
        active.append(self)
        try:
            return self._reader.read(self.source)
        finally:
            active.pop()
