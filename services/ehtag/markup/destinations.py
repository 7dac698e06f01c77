"""Addresses and titles of links, as markdown-it's link and image rules ask for them."""

from __future__ import annotations

import re
from typing import NamedTuple

from services.ehtag.markup.entities import unescape

_ANGLED = re.compile(r"<((?:[^\n<>\\]|\\.)*)>", re.DOTALL)
# a backslash takes the next character with it, whatever that is, except a space
_PIECE = re.compile(r"(?:[^\x00-\x20\x7f()\\]|\\[^ ]|\\\Z)+", re.DOTALL)
_TITLE = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'|\(((?:[^()\\]|\\.)*)\)", re.DOTALL)
_MAX_DEPTH = 32


class Piece(NamedTuple):
    """What was read: `pos` is behind it, `str` without escapes. The names are those that the library's rules use."""

    ok: bool
    pos: int = 0
    str: str = ""


def parse_destination(text: str, start: int, end: int) -> Piece:
    """The address of a link, in angle brackets or not."""
    if text.startswith("<", start):
        match = _ANGLED.match(text, start, end)
        return Piece(True, match.end(), unescape(match[1])) if match else Piece(False)
    position, depth = start, 0
    while position < end:
        if match := _PIECE.match(text, position, end):
            position = match.end()
        elif text[position] == "(":
            depth += 1
            if depth > _MAX_DEPTH:
                return Piece(False)
            position += 1
        elif text[position] == ")" and depth:
            depth -= 1
            position += 1
        else:
            break
    if position == start or depth:
        return Piece(False)
    return Piece(True, position, unescape(text[start:position]))


def parse_title(text: str, start: int, end: int, _previous: object = None) -> Piece:
    """The title of a link, in quotes or parentheses. A title that goes on in another block does not exist here."""
    match = _TITLE.match(text, start, end)
    return Piece(True, match.end(), unescape(match[match.lastindex or 0])) if match else Piece(False)
