"""Parses a paragraph of a cell to markdown-it tokens, with the rules of the releases."""

from __future__ import annotations

from types import SimpleNamespace

from markdown_it import MarkdownIt
from markdown_it.helpers import parseLinkLabel
from markdown_it.token import Token

from services.ehtag.markup import rules
from services.ehtag.markup.linkify import FoundUrl, Linkifier
from services.ehtag.markup.links import is_safe_url, normalise_url
from services.ehtag.markup.syntax import parse_destination, parse_title

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
        # instance attributes: the library's own functions stay unchanged for others
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

        From the end, as markdown-it does: in a link that holds another (`[a <b:c>](d)`) what is before the inner
        one then counts as outside.
        """
        parts: list[list[Token]] = []
        index = len(tokens) - 1
        while index >= 0:
            token = tokens[index]
            end = index + 1
            if token.type == "link_close":
                index -= 1
                while tokens[index].level != token.level and tokens[index].type != "link_open":
                    index -= 1
                parts.append(tokens[index:end])
            elif token.type == "text":
                after_escape = index > 0 and tokens[index - 1].type == "text_special"
                parts.append(_split(token, self._urls(token.content, after_escape)))
            else:
                parts.append([token])
            index -= 1
        return [token for part in reversed(parts) for token in part]

    def _urls(self, text: str, after_escape: bool) -> list[FoundUrl]:
        found = self._linkifier.find_all(text)
        # `http\\://a.b` is escaped: its `//a.b` is no link either
        return found[1:] if found and after_escape and found[0].start == 0 else found


def _split(token: Token, found: list[FoundUrl]) -> list[Token]:
    """A text token cut at its URLs."""
    text, start = token.content, 0
    parts: list[Token] = []
    for match in found:
        href = normalise_url(match.url)
        if not is_safe_url(href):
            continue
        if match.start > start:
            parts.append(_text(text[start : match.start]))
        parts.append(Token("link_open", "a", 1, attrs={"href": href}))
        parts.append(_text(normalise_url(match.url)))
        parts.append(Token("link_close", "a", -1))
        start = match.end
    if not parts:
        return [token]
    if start < len(text):
        parts.append(_text(text[start:]))
    return parts


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _joined(tokens: list[Token]) -> list[Token]:
    """Escapes and entities made text, and adjacent texts joined. Inside an image they stay separate."""
    out: list[Token] = []
    for token in tokens:
        if token.type == "text_special":
            token.type = "text"
        if token.type == "text" and out and out[-1].type == "text":
            out[-1].content += token.content
        else:
            out.append(token)
    return out
