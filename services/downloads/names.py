"""File names: from any title a name that is valid on every file system, in archives and in URLs."""

from __future__ import annotations

import re
import unicodedata
from itertools import takewhile

LONGEST_NAME_BYTES = 200
"""Bytes of the UTF-8 form, without an ending; file systems end at 255."""
UNTITLED = "untitled"

_FORBIDDEN = re.compile(r'[/\\:*?"<>|]')
_HARMFUL = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f-\x9f\ud800-\udfff]|^\.')
_BLANKS = re.compile(r"\s+")
_DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Cn", "Co"})
"""Control and format characters (right-to-left overrides among them), lone surrogates, what is not assigned."""
_JOINERS = "\u200c\u200d"
"""ZERO WIDTH NON-JOINER and ZERO WIDTH JOINER: format characters, yet parts of some words and emoji."""
_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
"""The blocks of what emoji are made of, skin tones among them."""
_ARABIC = "\u0620-\u065f\u066e-\u06d3\u06d5-\u06dc\u06df-\u06e8\u06ea-\u06ff\u0750-\u077f\u08a0-\u08c9"
"""Letters of the Arabic script with their marks, Persian ones among them."""
_VIRAMAS = "".join(chr(code) for code in range(0x0900, 0x0E00) if unicodedata.combining(chr(code)) == 9)
"""The marks of Indic scripts that join two consonants."""
_NEEDED_JOINER = (
    f"(?:(?<=[{_EMOJI}])|(?<=[{_EMOJI}]\ufe0f))\u200d(?=[{_EMOJI}])"
    f"|(?<=[{_ARABIC}])\u200c(?=[{_ARABIC}])|(?<=[{_VIRAMAS}])[{_JOINERS}](?=\\w)"
)
"""Between two emoji, as in a family; and where spelling needs it, much as in host names (RFC 5892, A.1 and A.2): a
Persian prefix stands apart from its word, a consonant after a virama takes one of its forms.
"""
_JOINER = re.compile(f"({_NEEDED_JOINER})|[{_JOINERS}]")
_FLAG_LETTER = re.compile("[\U0001f1e6-\U0001f1ff]")
_SKIN_TONE = re.compile("[\U0001f3fb-\U0001f3ff]")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\s*(?:\.|$)", re.IGNORECASE)
"""Names that Windows keeps for devices, whatever their ending."""


def file_stem(title: str, fallback: str = UNTITLED, longest_bytes: int = LONGEST_NAME_BYTES) -> str:
    """A file name without ending made from this title: "Tea: a history" is "Tea_ a history".

    Never empty, at most `longest_bytes` of UTF-8, never cut inside a character or an emoji of several, and the same
    for its own result. `fallback` is used as it is for a title of which nothing is left.
    """
    text = "".join(char for char in _spaced(title) if char in _JOINERS or not _is_dropped(char))
    text = _trim(_FORBIDDEN.sub("_", _spaced(_normalised(text))))
    if _RESERVED.match(text):
        text = f"_{text}"
    return _trim(_cut(text, longest_bytes)) or fallback


def with_number(stem: str, number: str) -> str:
    """The name of a chapter, or of a second album of the same title: "Tea [JM350234]", not longer than others."""
    suffix = f" [JM{number}]"
    return _trim(_cut(stem, LONGEST_NAME_BYTES - len(suffix))) + suffix


def is_safe_stem(name: str) -> bool:
    """True for a name that is safe for a file: no separators, wildcards, control characters or leading dot,
    at most 200 bytes. Every name that `file_stem` makes is one.
    """
    return _HARMFUL.search(name) is None and 0 < len(name.encode(errors="replace")) <= LONGEST_NAME_BYTES


def _normalised(text: str) -> str:
    """The NFC form without needless joiners; to drop one may let marks change places, so until nothing changes."""
    while (normal := _JOINER.sub(r"\1", unicodedata.normalize("NFC", text))) != text:
        text = normal
    return text


def _is_dropped(char: str) -> bool:
    return unicodedata.category(char) in _DROPPED_CATEGORIES


def _spaced(title: str) -> str:
    return _BLANKS.sub(" ", title)


def _trim(text: str) -> str:
    return text.strip(" .")


def _cut(text: str, longest_bytes: int) -> str:
    """The longest beginning within so many bytes that ends between two characters as people see them."""
    encoded = text.encode()
    if len(encoded) <= longest_bytes:
        return text
    end = len(encoded[: max(0, longest_bytes)].decode(errors="ignore"))
    while end and not _is_boundary(text, end):
        end -= 1
    return text[:end]


def _is_boundary(text: str, at: int) -> bool:
    """False before a mark or a skin tone, beside a joiner, and between the two letters of a flag."""
    before, after = text[at - 1], text[at]
    if unicodedata.category(after).startswith("M") or _SKIN_TONE.match(after) or {before, after} & set(_JOINERS):
        return False
    if not (_FLAG_LETTER.match(before) and _FLAG_LETTER.match(after)):
        return True
    flag_letters = takewhile(_FLAG_LETTER.match, reversed(text[:at]))
    return sum(1 for _ in flag_letters) % 2 == 0
