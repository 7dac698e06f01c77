"""Versions of the tag database as callers name them: sha1 of the head, the way an ETag may be written."""

from __future__ import annotations

ANY_VERSION = "*"


def names_version(condition: str, sha: str) -> bool:
    """Whether a condition names this sha: bare or quoted, weak or not, any case, in a list, or `*` for any.

    `names_version('W/"3F2A…", "0b1c…"', "3f2a…")` is true.
    """
    named = (_opaque(part) for part in condition.split(","))
    return any(version in (ANY_VERSION, sha) for version in named)


def _opaque(tag: str) -> str:
    bare = tag.strip().lower().removeprefix("w/").strip()
    is_quoted = len(bare) > 1 and bare[0] == bare[-1] == '"'
    return bare[1:-1] if is_quoted else bare
