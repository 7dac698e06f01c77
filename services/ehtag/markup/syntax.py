"""JavaScript's string and object rules, entities, escapes, link destinations and titles, as releases show them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.entities import html5
from typing import NamedTuple

# ECMAScript's WhiteSpace and LineTerminator; `str.strip` leaves U+FEFF and takes U+001C..U+001F and U+0085
SPACES = "\t\n\v\f\r \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000\ufeff"

_ARRAY_INDEX = re.compile(r"(?:0|[1-9][0-9]{0,9})\Z")
_MAX_ARRAY_INDEX = 4294967294  # 2**32 - 2

_ESCAPE_OR_ENTITY = re.compile(
    r"\\([!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~])|&([a-z#][a-z0-9]{1,31});", re.IGNORECASE | re.ASCII
)
_NUMBER = re.compile(r"#(?:[xX]([0-9a-fA-F]{1,8})|([0-9]{1,8}))\Z")
_LOOSE_NUMBER = re.compile(r"#(?:[xX]([0-9a-fA-F]+)|([0-9]+))")
_REPLACEMENT = "\ufffd"
_MAX_CODE_POINT = 0x10FFFF
# what browsers make of the C1 controls, by Windows-1252; the five without a character there stay
_C1 = {
    code: bytes([code]).decode("cp1252") for code in range(0x80, 0xA0) if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}

_ANGLED = re.compile(r"<((?:[^\n<>\\]|\\.)*)>", re.DOTALL)
# a backslash takes the next character with it, whatever that is, except a space
_UNQUOTED = re.compile(r"(?:[^\x00-\x20\x7f()\\]|\\[^ ]|\\\Z)+", re.DOTALL)
_TITLE = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'|\(((?:[^()\\]|\\.)*)\)", re.DOTALL)
_MAX_DEPTH = 32


def is_array_index(key: str) -> bool:
    """Whether a JavaScript object lists this key before its other keys: "0".."4294967294" in canonical form."""
    return _ARRAY_INDEX.match(key) is not None and int(key) <= _MAX_ARRAY_INDEX


def in_object_order(keys: Iterable[str]) -> list[str]:
    """Keys as `Object.keys` lists them: array indexes first, ascending, then the rest as they were added."""
    indexes: list[str] = []
    rest: list[str] = []
    for key in keys:
        (indexes if is_array_index(key) else rest).append(key)
    return sorted(indexes, key=int) + rest


def unescape(text: str) -> str:
    r"""A link's address or title with `\(` and `&amp;` undone."""
    if "\\" not in text and "&" not in text:
        return text
    return _ESCAPE_OR_ENTITY.sub(_unescaped, text)


def decode_named(name: str) -> str | None:
    """The characters of "amp;", or of a name that begins with one ("ltt;" is "<t;"); None where there are none."""
    if name in html5:
        return html5[name]
    for end in range(len(name) - 1, 1, -1):
        if name[:end] in html5:
            return html5[name[:end]] + name[end:]
    return None


def is_valid_code(code: int) -> bool:
    """Whether markdown takes this code point from a numeric entity: no surrogate, no control, no non-character."""
    return not (
        0xD800 <= code <= 0xDFFF
        or 0xFDD0 <= code <= 0xFDEF
        or code & 0xFFFE == 0xFFFE
        or code <= 0x08
        or code == 0x0B
        or 0x0E <= code <= 0x1F
        or 0x7F <= code <= 0x9F
        or code > _MAX_CODE_POINT
    )


def _unescaped(match: re.Match[str]) -> str:
    escaped: str | None = match[1]
    if escaped:
        return escaped
    name: str = match[2]
    if number := _NUMBER.match(name):
        code = _code(number)
        return chr(code) if is_valid_code(code) else match[0]
    if name.startswith("#"):
        return _loose_number(name, match[0])
    decoded = decode_named(name + ";")
    return match[0] if decoded is None else decoded


def _loose_number(name: str, written: str) -> str:
    """A number that markdown refuses but HTML reads: too long, or with letters after it."""
    number = _LOOSE_NUMBER.match(name)
    if number is None:
        return written
    code = _code(number)
    if code == 0 or 0xD800 <= code <= 0xDFFF or code > _MAX_CODE_POINT:
        shown = _REPLACEMENT
    else:
        shown = _C1.get(code) or chr(code)
    rest = name[number.end() :]
    return shown + rest + ";" if rest else shown


def _code(match: re.Match[str]) -> int:
    return int(match[1], 16) if match[1] else int(match[2])


class ParseResult(NamedTuple):
    """What was parsed: `pos` is after it, `str` without escapes. markdown-it's rules use these names."""

    ok: bool
    pos: int = 0
    str: str = ""


def parse_destination(text: str, start: int, end: int) -> ParseResult:
    """The address of a link, in angle brackets or not."""
    if text.startswith("<", start):
        match = _ANGLED.match(text, start, end)
        return ParseResult(True, match.end(), unescape(match[1])) if match else ParseResult(False)
    position, depth = start, 0
    while position < end:
        if match := _UNQUOTED.match(text, position, end):
            position = match.end()
        elif text[position] == "(":
            depth += 1
            if depth > _MAX_DEPTH:
                return ParseResult(False)
            position += 1
        elif text[position] == ")" and depth:
            depth -= 1
            position += 1
        else:
            break
    if position == start or depth:
        return ParseResult(False)
    return ParseResult(True, position, unescape(text[start:position]))


def parse_title(text: str, start: int, end: int, _previous: object = None) -> ParseResult:
    """The title of a link, in quotes or parentheses. A title that goes on in another block does not exist here."""
    match = _TITLE.match(text, start, end)
    return ParseResult(True, match.end(), unescape(match[match.lastindex or 0])) if match else ParseResult(False)
