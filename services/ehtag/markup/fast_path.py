"""Parses simple paragraphs by regular expressions: nearly all of them, without loading markdown-it."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, TypeAlias

from services.ehtag.markup.links import is_safe_url, normalise_url
from services.ehtag.markup.syntax import SPACES

_BLANK_LINES = re.compile(r"\n[ \t]*(?=\n)")

# every `[` must begin one whole link or image, every backtick one whole code span; whatever else might be markup
# (emphasis, angle brackets, entities, nesting) matches nothing here
_TEXT_CODE_BREAK = r"""
      \\(?P<escape>[!-/:-@\[-`{-~])
    | (?P<br>\n[ \t]*)
    | (?<!`)`(?P<code>[^`\n]+)`(?!`)
"""
_INLINE = re.compile(
    r"(?P<text>(?:[^\n\\`*_\[<&!]|!(?!\[)|&(?![#a-zA-Z][a-zA-Z0-9]*;))+) |"
    + _TEXT_CODE_BREAK
    + r"""
    | (?P<bang>!?)\[(?P<label>[^\[\]`*_\\&<\n]*)\]
      \((?P<url>[^\x00-\x20\x7f()<>\\`]+)(?:[ ]"(?P<title>[^"\\&`\n]*)")?(?P<link>\))
    """,
    re.VERBOSE,
)
# where no link can be, brackets are text
_INLINE_WITHOUT_LINKS = re.compile(
    r"(?P<text>(?:[^\n\\`*_<&]|&(?![#a-zA-Z][a-zA-Z0-9]*;))+) |" + _TEXT_CODE_BREAK, re.VERBOSE
)
# a bare `//…` must not follow a letter or a digit
_MAYBE_URL = re.compile(r"(?<![0-9A-Za-z])//|mailto:", re.IGNORECASE)


class Text(NamedTuple):
    """Text, escapes undone."""

    value: str


class Code(NamedTuple):
    """A code span."""

    value: str


class LinkOrImage(NamedTuple):
    """A link, or an image, with a label that is nothing but text."""

    is_image: bool
    label: str
    href: str
    title: str


LineBreak: TypeAlias = Literal["br"]
Inline: TypeAlias = Text | Code | LinkOrImage | LineBreak


def split_paragraphs(source: str) -> list[str]:
    """Paragraphs, trimmed, with one kind of newline. Blank lines, of spaces and tabs too, separate them."""
    text = source.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    if "\n" not in text:
        return [text.strip(SPACES)] if text.strip(" \t") else []
    blocks = _BLANK_LINES.sub("\n", text).split("\n\n")
    return [block.strip(SPACES) for block in blocks if block.strip(" \t\n")]


def parse_simple(paragraph: str) -> list[Inline] | None:
    """The inlines of a paragraph (trimmed, in NFC); None when `MarkdownParser` must read it."""
    inlines: list[Inline] = []
    next_inline = (_INLINE if "](" in paragraph else _INLINE_WITHOUT_LINKS).match
    text, position, length = "", 0, len(paragraph)
    while position < length:
        match = next_inline(paragraph, position)
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
            inlines.append(Text(text))
            text = ""
        inline = _inline(match)
        if inline is None:
            return None
        inlines.append(inline)
    if text:
        inlines.append(Text(text))
    return inlines


def _inline(match: re.Match[str]) -> Inline | None:
    match match.lastgroup:
        case "br":
            return "br"
        case "code":
            return Code(match["code"])
        case _:
            return _link_or_image(match)


def _link_or_image(match: re.Match[str]) -> LinkOrImage | None:
    label, url = match["label"], match["url"]
    # an entity in the address; a bare URL in the label of an image
    if ("&" in url and ";" in url) or _MAYBE_URL.search(label):
        return None
    href = normalise_url(url)
    return LinkOrImage(bool(match["bang"]), label, href, match["title"] or "") if is_safe_url(href) else None
