"""Parses the markdown of a cell to markdown-it tokens, with a fast path for everyday paragraphs."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Literal, NamedTuple, TypeAlias

from markdown_it import MarkdownIt
from markdown_it.helpers import parseLinkLabel
from markdown_it.token import Token

from services.ehtag.markup import rules
from services.ehtag.markup.linkify import FoundUrl, Linkifier
from services.ehtag.markup.links import is_safe_url, normalise_url
from services.ehtag.markup.syntax import SPACES, parse_destination, parse_title

_BLANK_LINES = re.compile(r"\n[ \t]*(?=\n)")


def split_paragraphs(source: str) -> list[str]:
    """Paragraphs, trimmed, with one kind of newline. Lines of spaces and tabs stand between them."""
    text = source.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    if "\n" not in text:
        return [text.strip(SPACES)] if text.strip(" \t") else []
    blocks = _BLANK_LINES.sub("\n", text).split("\n\n")
    return [block.strip(SPACES) for block in blocks if block.strip(" \t\n")]


_INLINE = ["text", "linkify", "newline", "escape", "backticks", "emphasis", "link", "image", "autolink", "entity"]
_PAIRING = ["balance_pairs", "emphasis", "fragments_join"]
_MAX_NESTING = 20


class MarkdownParser:
    """Our own markdown-it, with the releases' rules."""

    def __init__(self) -> None:
        self._linkifier = Linkifier()
        self._markdown = markdown = MarkdownIt(
            "commonmark", {"html": False, "linkify": True, "maxNesting": _MAX_NESTING}
        )
        markdown.inline.ruler.at("linkify", rules.linkify_with(self._linkifier))
        markdown.inline.ruler.at("backticks", rules.backticks)
        markdown.inline.ruler.at("emphasis", rules.emphasis)
        markdown.inline.ruler.at("autolink", rules.autolink)
        markdown.inline.ruler.at("entity", rules.entity)
        markdown.inline.ruler.enableOnly(_INLINE)
        markdown.inline.ruler2.enableOnly(_PAIRING)
        # instance attributes: the library's own functions stay in place for others
        vars(markdown).update(
            normalizeLink=normalise_url,
            normalizeLinkText=normalise_url,
            validateLink=is_safe_url,
            helpers=SimpleNamespace(
                parseLinkLabel=parseLinkLabel, parseLinkDestination=parse_destination, parseLinkTitle=parse_title
            ),
        )

    def tokens(self, paragraph: str) -> list[Token]:
        """The inline tokens of a paragraph (trimmed, one kind of newline)."""
        tokens: list[Token] = []
        self._markdown.inline.parse(paragraph, self._markdown, {}, tokens)
        if self._linkifier.pretest(paragraph):
            tokens = self._linkified(tokens)
        return _joined(tokens)

    def _linkified(self, tokens: list[Token]) -> list[Token]:
        """Text tokens outside of links, with the URLs in them made links.

        From the end, as markdown-it does: in a link that holds another (`[a <b:c>](d)`) what stands before the inner
        one then counts as outside.
        """
        pieces: list[list[Token]] = []
        index = len(tokens) - 1
        while index >= 0:
            token = tokens[index]
            end = index + 1
            if token.type == "link_close":
                index -= 1
                while tokens[index].level != token.level and tokens[index].type != "link_open":
                    index -= 1
                pieces.append(tokens[index:end])
            elif token.type == "text":
                after_escape = index > 0 and tokens[index - 1].type == "text_special"
                pieces.append(_split(token, self._urls(token.content, after_escape)))
            else:
                pieces.append([token])
            index -= 1
        return [token for piece in reversed(pieces) for token in piece]

    def _urls(self, text: str, after_escape: bool) -> list[FoundUrl]:
        found = self._linkifier.find_all(text)
        # `http\\://a.b` is escaped: its `//a.b` is no link either
        return found[1:] if found and after_escape and found[0].start == 0 else found


def _split(token: Token, found: list[FoundUrl]) -> list[Token]:
    """A text token cut at its URLs."""
    text, start = token.content, 0
    pieces: list[Token] = []
    for match in found:
        href = normalise_url(match.url)
        if not is_safe_url(href):
            continue
        if match.start > start:
            pieces.append(_text(text[start : match.start]))
        pieces.append(Token("link_open", "a", 1, attrs={"href": href}))
        pieces.append(_text(normalise_url(match.url)))
        pieces.append(Token("link_close", "a", -1))
        start = match.end
    if not pieces:
        return [token]
    if start < len(text):
        pieces.append(_text(text[start:]))
    return pieces


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _joined(tokens: list[Token]) -> list[Token]:
    """Escapes and entities made text, and neighbouring texts made one. What is inside an image stays in pieces."""
    out: list[Token] = []
    for token in tokens:
        if token.type == "text_special":
            token.type = "text"
        if token.type == "text" and out and out[-1].type == "text":
            out[-1].content += token.content
        else:
            out.append(token)
    return out


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
