"""Paragraphs of a cell: the only blocks of markdown there are in it."""

from __future__ import annotations

import re

from services.ehtag.markup.javascript import trim

_BLANK_LINES = re.compile(r"\n[ \t]*(?=\n)")


def split_paragraphs(source: str) -> list[str]:
    """Paragraphs, trimmed, with one kind of newline. Lines of spaces and tabs stand between them."""
    text = source.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    if "\n" not in text:
        return [trim(text)] if text.strip(" \t") else []
    blocks = _BLANK_LINES.sub("\n", text).split("\n\n")
    return [trim(block) for block in blocks if block.strip(" \t\n")]
