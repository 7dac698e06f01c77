"""Inline rules of markdown where the releases' markdown-it 14.1.1 and markdown-it-py 4.3.0 differ.

They are set on our own parser; the library's modules stay unchanged for other users in the process.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from functools import lru_cache

from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.rules_inline.state_inline import Delimiter, StateInline

from services.ehtag.markup.linkify import Linkifier
from services.ehtag.markup.syntax import decode_named, is_valid_code

_PADDED = re.compile("\\A ([^\\n\\r\u2028\u2029]+) \\Z")  # JavaScript's `.`
_NUMERIC_ENTITY = re.compile(r"&#(?:[xX]([0-9a-fA-F]{1,6})|([0-9]{1,7}));")
_NAMED_ENTITY = re.compile(r"&([a-zA-Z][a-zA-Z0-9]{1,31};)")
_AUTOLINK = re.compile(r"<([a-zA-Z][a-zA-Z0-9+.\-]{1,31}:[^<>\x00-\x20]*)>")
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_AUTOMAIL = re.compile(rf"<([a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*)>")
_IN_SCHEME = "+-." + string.ascii_letters + string.digits
_BMP_END = "\uffff"
_NEW_SYMBOLS = frozenset("\u2ffc\u2ffd\u2ffe\u2fff\u31ef")  # of Unicode 15.1, which older Pythons don't know


def backticks(state: StateInline, silent: bool) -> bool:
    """Code spans. The cache of closers is also filled by look-aheads, and then hides closers that are there.

    markdown-it-py repaired that; the releases have it.
    """
    start, source = state.pos, state.src
    if source[start] != "`":
        return False
    content_start = _run_end(source, start, state.posMax)
    length = content_start - start
    state.pos = content_start
    if not state.backticksScanned or state.backticks.get(length, 0) > start:
        end = content_start
        while (closer := source.find("`", end)) != -1:
            end = _run_end(source, closer, state.posMax)
            if end - closer == length:
                if not silent:
                    _push_code(state, source[start:content_start], source[content_start:closer])
                state.pos = end
                return True
            state.backticks[end - closer] = closer
        state.backticksScanned = True
    if not silent:
        state.append_pending(source[start:content_start])
    return True


def _run_end(source: str, start: int, limit: int) -> int:
    end = start + 1
    while end < limit and source[end] == "`":
        end += 1
    return end


def _push_code(state: StateInline, markup: str, content: str) -> None:
    token = state.push("code_inline", "code", 0)
    token.markup = markup
    token.content = _PADDED.sub(r"\1", content.replace("\n", " "))


def emphasis(state: StateInline, silent: bool) -> bool:
    """Markers of emphasis. They are classified by UTF-16 units: no astral character is punctuation."""
    marker = state.src[state.pos]
    if silent or marker not in "_*":
        return False
    start, end = state.pos, state.pos
    while end < state.posMax and state.src[end] == marker:
        end += 1
    before = state.src[start - 1] if start > 0 else " "
    after = state.src[end] if end < state.posMax else " "
    can_open, can_close = _flanking(before, after, splits_words=marker == "*")
    for _ in range(end - start):
        state.push("text", "", 0).content = marker
        state.delimiters.append(
            Delimiter(ord(marker), end - start, len(state.tokens) - 1, end=-1, open=can_open, close=can_close)
        )
    state.pos = end
    return True


def _flanking(before: str, after: str, *, splits_words: bool) -> tuple[bool, bool]:
    space_before, space_after = isWhiteSpace(ord(before)), isWhiteSpace(ord(after))
    punctuation_before, punctuation_after = _is_punctuation(before), _is_punctuation(after)
    left = not space_after and (not punctuation_after or space_before or punctuation_before)
    right = not space_before and (not punctuation_before or space_after or punctuation_after)
    can_open = left and (splits_words or not right or punctuation_before)
    can_close = right and (splits_words or not left or punctuation_after)
    return can_open, can_close


def _is_punctuation(char: str) -> bool:
    return char <= _BMP_END and (isMdAsciiPunct(ord(char)) or isPunctChar(char) or char in _NEW_SYMBOLS)


def entity(state: StateInline, silent: bool) -> bool:
    """Character references, also named ones that only begin with a known name ("&ltt;" is "<t;")."""
    if state.src[state.pos] != "&":
        return False
    if match := _NUMERIC_ENTITY.match(state.src, state.pos):
        code = int(match[1], 16) if match[1] else int(match[2])
        content: str | None = chr(code) if is_valid_code(code) else "\ufffd"
    elif match := _NAMED_ENTITY.match(state.src, state.pos):
        content = decode_named(match[1])
    else:
        return False
    if content is None:
        return False
    if not silent:
        token = state.push("text_special", "", 0)
        token.content, token.markup, token.info = content, match[0], "entity"
    state.pos = match.end()
    return True


def autolink(state: StateInline, silent: bool) -> bool:
    """Links in angle brackets: `<https://a.b>`, `<a@b.c>`."""
    match = _AUTOLINK.match(state.src, state.pos, state.posMax)
    prefix = ""
    if match is None:
        match = _AUTOMAIL.match(state.src, state.pos, state.posMax)
        prefix = "mailto:"
    if match is None:
        return False
    href = state.md.normalizeLink(prefix + match[1])
    if not state.md.validateLink(href):
        return False
    if not silent:
        push_link(state, href, state.md.normalizeLinkText(match[1]))
    state.pos = match.end()
    return True


def linkify_with(linkifier: Linkifier) -> Callable[[StateInline, bool], bool]:
    """The rule for bare `https://…`, tried at its `://`."""

    def linkify(state: StateInline, silent: bool) -> bool:
        """Bare URLs with a scheme, outside of links.

        A look-ahead takes the word before the bracket for the scheme: its length alone counts, as in the releases.
        """
        position = state.pos
        if state.linkLevel > 0 or position + 3 > state.posMax or not state.src.startswith("://", position):
            return False
        length = _scheme_length(state.pending)
        if length == 0:
            return False
        found = linkifier.find_at_start(state.src[position - length :])
        if found is None or len(found.url) <= length:
            return False
        url = found.url.rstrip("*")  # an asterisk may close emphasis
        href = state.md.normalizeLink(url)
        if not state.md.validateLink(href):
            return False
        if not silent:
            state.pending = state.pending[:-length]
            push_link(state, href, state.md.normalizeLinkText(url))
        state.pos += len(url) - length
        return True

    return linkify


@lru_cache(maxsize=4)  # a look-ahead asks for the same text at every `://` of a label
def _scheme_length(pending: str) -> int:
    """How many characters at the end can be a scheme, "https"; 0 when they don't begin with a letter."""
    scheme = pending[len(pending.rstrip(_IN_SCHEME)) :]
    return len(scheme) if scheme[:1].isalpha() else 0


def push_link(state: StateInline, href: str, text: str) -> None:
    """A whole link that holds nothing but text."""
    state.push("link_open", "a", 1).attrs = {"href": href}
    state.push("text", "", 0).content = text
    state.push("link_close", "a", -1)
