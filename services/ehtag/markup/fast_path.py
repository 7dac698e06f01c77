"""A quick reader for everyday paragraphs: text, line breaks, escapes, code spans, plain links and images.

It reads what it is sure of exactly as the parser does, many times faster, and leaves everything else to the parser.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, TypeAlias

from services.ehtag.markup.urls import is_safe_url, normalise_url

# every `[` must begin one whole link or image, every backtick one whole code span; whatever else might be markup
# (emphasis, angle brackets, entities, nesting) matches nothing here
_PIECE_OF_TEXT = r"""
      \\(?P<escape>[!-/:-@\[-`{-~])
    | (?P<br>\n[ \t]*)
    | (?<!`)`(?P<code>[^`\n]+)`(?!`)
"""
_PIECE = re.compile(
    r"(?P<text>(?:[^\n\\`*_\[<&!]|!(?!\[)|&(?![#a-zA-Z][a-zA-Z0-9]*;))+) |"
    + _PIECE_OF_TEXT
    + r"""
    | (?P<bang>!?)\[(?P<label>[^\[\]`*_\\&<\n]*)\]
      \((?P<url>[^\x00-\x20\x7f()<>\\`]+)(?:[ ]"(?P<title>[^"\\&`\n]*)")?(?P<link>\))
    """,
    re.VERBOSE,
)
# where no link can be, brackets are text
_PIECE_WITHOUT_LINKS = re.compile(
    r"(?P<text>(?:[^\n\\`*_<&]|&(?![#a-zA-Z][a-zA-Z0-9]*;))+) |" + _PIECE_OF_TEXT, re.VERBOSE
)
# a bare `//…` must not stand behind a letter or a digit
_MAYBE_URL = re.compile(r"(?<![0-9A-Za-z])//|mailto:", re.IGNORECASE)


class Text(NamedTuple):
    """Text, escapes undone."""

    value: str


class Code(NamedTuple):
    """A code span."""

    value: str


class Target(NamedTuple):
    """A link, or an image, with a label that is nothing but text."""

    is_image: bool
    label: str
    href: str
    title: str


Break: TypeAlias = Literal["br"]
Piece: TypeAlias = Text | Code | Target | Break


def read_everyday(paragraph: str) -> list[Piece] | None:
    """The pieces of a paragraph (trimmed, in NFC), or None when a parser must look at it."""
    pieces: list[Piece] = []
    next_piece = (_PIECE if "](" in paragraph else _PIECE_WITHOUT_LINKS).match
    text, position, length = "", 0, len(paragraph)
    while position < length:
        match = next_piece(paragraph, position)
        if match is None:
            return None
        position = match.end()
        kind = match.lastgroup
        if kind == "text":
            if _MAYBE_URL.search(match[0]):
                return None
            text += match[0]
            continue
        if kind == "escape":
            text += match["escape"]
            continue
        if kind == "br":
            text = text.rstrip(" ")
        if text:
            pieces.append(Text(text))
            text = ""
        piece = _piece(match)
        if piece is None:
            return None
        pieces.append(piece)
    if text:
        pieces.append(Text(text))
    return pieces


def _piece(match: re.Match[str]) -> Piece | None:
    match match.lastgroup:
        case "br":
            return "br"
        case "code":
            return Code(match["code"])
        case _:
            return _target(match)


def _target(match: re.Match[str]) -> Target | None:
    label, url = match["label"], match["url"]
    # an entity in the address; a bare URL in the label of an image
    if ("&" in url and ";" in url) or _MAYBE_URL.search(label):
        return None
    href = normalise_url(url)
    return Target(bool(match["bang"]), label, href, match["title"] or "") if is_safe_url(href) else None
