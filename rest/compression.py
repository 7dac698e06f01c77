"""Bodies made smaller with what the client takes: zstd or gzip."""

from __future__ import annotations

import gzip
from collections.abc import Callable

from backports import zstd

from resolvers.headers import qualities

_SMALLEST = 128  # bytes; below this the headers of the formats eat the gain
_GZIP_LEVEL = 6
_ZSTD_LEVEL = 6


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)


def _zstd(body: bytes) -> bytes:
    return zstd.compress(body, _ZSTD_LEVEL)


# best first, for clients that like both equally
_CODINGS: dict[str, Callable[[bytes], bytes]] = {"zstd": _zstd, "gzip": _gzip}


def compressed(body: bytes, accept_encoding: str) -> tuple[bytes, str] | None:
    """The body in the best coding of an `Accept-Encoding`, and that coding's name; None where it stays as it is."""
    coding = _coding(accept_encoding)
    if coding is None or len(body) < _SMALLEST:
        return None
    smaller = _CODINGS[coding](body)
    return (smaller, coding) if len(smaller) < len(body) else None


def _coding(accept_encoding: str) -> str | None:
    wanted = qualities(accept_encoding)
    rest = wanted.get("*", 0.0)
    best = max(_CODINGS, key=lambda coding: wanted.get(coding, rest))  # the first of equals
    liking = wanted.get(best, rest)
    return best if liking > 0 and liking >= wanted.get("identity", 0.0) else None
