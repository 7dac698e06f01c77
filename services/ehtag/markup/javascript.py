"""The few habits of JavaScript strings and objects that show in a release.

The official releases are made with JavaScript: what it calls white space, and the order in which its objects list
their keys, differ from Python's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# ECMAScript's WhiteSpace and LineTerminator; `str.strip` leaves U+FEFF and takes U+001C..U+001F and U+0085
SPACES = "\t\n\v\f\r \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000\ufeff"

_ARRAY_INDEX = re.compile(r"(?:0|[1-9][0-9]{0,9})\Z")
_MAX_ARRAY_INDEX = 4294967294  # 2**32 - 2


def trim(text: str) -> str:
    """The text without JavaScript's white space at either end, as `String.prototype.trim`."""
    return text.strip(SPACES)


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
