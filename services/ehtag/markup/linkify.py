"""Bare URLs in text, found as linkify-it 5.0.0 finds them: `http: https: ftp: mailto: //`, nothing guessed.

The patterns are linkify-it-py's. What differs is how they are tried: each match starts again after the last, where
linkify-it-py 2 scans the text once; and ASCII rules for case and digits, as in JavaScript.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import NamedTuple

# parts of linkify-it-py's patterns for which a character class is faster than a look-ahead before each character
_PATH_MARKS = r"""[()[\]{}.,"'?!\-;]"""
_CLOSING = {r"\]": r"\]", "[)]": ")", "[}]": "}", '["]': '"', "[']": "'"}
_USER_ENDS = r"[@/\[\]()]"
_NAME = re.compile(r"\{(src_[a-z_]+)\}")


class FoundUrl(NamedTuple):
    """A URL in a text, with its position; `schema` is in lower case ("https:", "//")."""

    schema: str
    start: int
    end: int
    url: str


class Linkifier:
    """Finds URLs. It has the methods that markdown-it's rules call; patterns are compiled on first use."""

    def pretest(self, text: str) -> bool:
        """A quick test that also rejects some real URLs: without it, more would be found than in the releases."""
        return self._pretest.search(text) is not None

    def find_all(self, text: str) -> list[FoundUrl]:
        """Every URL, in order."""
        found: list[FoundUrl] = []
        start = 0
        while match := self._first(text, start):
            found.append(match)
            start = match.end
        return found

    def find_at_start(self, text: str) -> FoundUrl | None:
        """The URL that the text begins with."""
        match = self._schema_at_start.match(text)
        if match is None:
            return None
        length = self._tail_length(text, match.end(), match[2])
        return self._found(text, match, 0, length) if length else None

    def _first(self, text: str, start: int) -> FoundUrl | None:
        tail = text[start:]
        for match in self._schema.finditer(tail):
            if length := self._tail_length(tail, match.end(), match[2]):
                return self._found(tail, match, start, length)
        return None

    def _found(self, text: str, match: re.Match[str], shift: int, length: int) -> FoundUrl:
        first, end = match.end(1), match.end() + length
        return FoundUrl(match[2].lower(), first + shift, end + shift, text[first:end])

    def _tail_length(self, text: str, position: int, schema: str) -> int:
        """Length of the URL after its schema; 0 when it is none."""
        name = schema.lower()
        pattern = {"mailto:": self._mailto, "//": self._no_schema}.get(name, self._http)
        match = pattern.match(text, position)
        if match is None:
            return 0
        # `://` and `///` are mistakes in a schema's name
        if name == "//" and position >= 3 and text[position - 3] in ":/":
            return 0
        return match.end() - position

    @cached_property
    def _patterns(self) -> dict[str, str]:
        """linkify-it-py's sources with what linkify-it 5.0.0 has otherwise, and faster: with character classes.

        There, user names have no cap, and a character beyond the BMP is a letter even where it is punctuation: an
        alternative for it is outside of the look-ahead.
        """
        from linkify_it import LinkifyIt

        sources: dict[str, str] = LinkifyIt(options={"fuzzy_link": False, "fuzzy_email": False}).re
        blank, no_letter = sources["src_ZCc"], sources["src_ZPCc"]
        letter = sources["src_pseudo_letter"]
        js_letter = letter.replace(r"[\s\S]", "[\0-\uffff]|[\U00010000-\U0010ffff]")
        changes = {
            letter: js_letter,
            f"(?!{blank}|[><\uff5c]|{_PATH_MARKS}).": _none_of(sources, _PATH_MARKS[1:-1] + "><\uff5c"),
            **{f"(?!{blank}|{written}).": _none_of(sources, mark) for written, mark in _CLOSING.items()},
            f"(?!{blank}|{_USER_ENDS}).": _none_of(sources, _USER_ENDS[1:-1]),
            no_letter: f"[{_inner(sources, 'src_Z')}{_inner(sources, 'src_P')}{_inner(sources, 'src_Cc')}]",
            "{1,50}@": "+@",
        }
        for old, new in changes.items():
            sources = {name: source.replace(old, new) for name, source in sources.items()}
        sources["src_email_name"] = sources["src_email_name"].replace("{0,63}", "*")
        return sources

    @cached_property
    def _pretest(self) -> re.Pattern[str]:
        # ASCII rules for case leave this one top-level domain behind
        return _compile(self._patterns["pretest"].replace("рф", "[рР][фФ]"))

    @cached_property
    def _schema(self) -> re.Pattern[str]:
        return _compile(self._patterns["schema_search"])

    @cached_property
    def _schema_at_start(self) -> re.Pattern[str]:
        return _compile(self._patterns["schema_at_start"])

    @cached_property
    def _http(self) -> re.Pattern[str]:
        return _compile(r"\/\/{src_auth}{src_host_port_strict}{src_path}", self._patterns)

    @cached_property
    def _no_schema(self) -> re.Pattern[str]:
        # a single label is no host here: `//test` is a comment
        host = r"(?:localhost|(?:(?:{src_domain})\.)+{src_domain_root})"
        return _compile("{src_auth}" + host + "{src_port}{src_host_terminator}{src_path}", self._patterns)

    @cached_property
    def _mailto(self) -> re.Pattern[str]:
        return _compile("{src_email_name}@{src_host_strict}", self._patterns)


def _compile(template: str, patterns: dict[str, str] | None = None) -> re.Pattern[str]:
    source = template if patterns is None else _NAME.sub(lambda match: patterns[match[1]], template)
    return re.compile(source, re.IGNORECASE | re.ASCII)


def _none_of(sources: dict[str, str], marks: str) -> str:
    """A class of every character but blanks, controls and these marks."""
    return f"[^{_inner(sources, 'src_Z')}{_inner(sources, 'src_Cc')}{marks}]"


def _inner(sources: dict[str, str], name: str) -> str:
    return sources[name][1:-1]
