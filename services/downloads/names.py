"""File names: from any title a name that is valid on every file system, in archives and in URLs."""

from __future__ import annotations

import re
import unicodedata

LONGEST_NAME_BYTES = 200
"""Bytes of the UTF-8 form, without an ending; file systems end at 255."""
UNTITLED = "untitled"

_FORBIDDEN = re.compile(r'[/\\:*?"<>|]')
_HARMFUL = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f-\x9f\ud800-\udfff]|^\.')
_BLANKS = re.compile(r"\s+")
_DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Cn", "Co"})
"""Control and format characters (right-to-left overrides among them), lone surrogates, what is not assigned."""
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\s*(?:\.|$)", re.IGNORECASE)
"""Names that Windows keeps for devices, whatever their ending."""


def file_stem(title: str, fallback: str = UNTITLED, longest_bytes: int = LONGEST_NAME_BYTES) -> str:
    """A file name without ending made from this title: "Tea: a history" is "Tea_ a history".

    Never empty, at most `longest_bytes` of UTF-8, never cut inside a character, and the same for its own result.
    `fallback` is used as it is for a title of which nothing is left.
    """
    text = "".join(char for char in _spaced(title) if unicodedata.category(char) not in _DROPPED_CATEGORIES)
    text = _trim(_FORBIDDEN.sub("_", _spaced(unicodedata.normalize("NFC", text))))
    if _RESERVED.match(text):
        text = f"_{text}"
    return _trim(_cut(text, longest_bytes)) or fallback


def with_album_suffix(stem: str, album_id: str) -> str:
    """The name of a second album of the same title: "Tea [JM350234]", not longer than any other name."""
    suffix = f" [JM{album_id}]"
    return _trim(_cut(stem, LONGEST_NAME_BYTES - len(suffix))) + suffix


def is_safe_stem(name: str) -> bool:
    """True for a name that is safe for a file: no separators, wildcards, control characters or leading dot,
    at most 200 bytes. Every name that `file_stem` makes is one.
    """
    return _HARMFUL.search(name) is None and 0 < len(name.encode(errors="replace")) <= LONGEST_NAME_BYTES


def _spaced(title: str) -> str:
    return _BLANKS.sub(" ", title)


def _trim(text: str) -> str:
    return text.strip(" .")


def _cut(text: str, longest_bytes: int) -> str:
    """The longest beginning within so many bytes that does not separate a letter from its marks."""
    encoded = text.encode()
    if len(encoded) <= longest_bytes:
        return text
    end = len(encoded[: max(0, longest_bytes)].decode(errors="ignore"))
    while end and unicodedata.category(text[end]).startswith("M"):
        end -= 1
    return text[:end]
