"""Parameters of paths and queries: convertors for paths with any text in them, and numbers."""

from __future__ import annotations

import math
import re

from starlette.convertors import Convertor, register_url_convertor

_WHOLE = re.compile(r"[+-]?[0-9]{1,9}(?:\.0*)?")
_REAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


class RemainderConvertor(Convertor[str]):
    """`{name:remainder}`: the remainder of a path, as `path`, but newlines too."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """The text as it is."""
        return value

    def to_string(self, value: str) -> str:
        """The text as it is."""
        return value


class NoTrailingSlashConvertor(RemainderConvertor):
    """`{name:no_trailing_slash}`: the same without a slash at its end, so that Starlette redirects such a path."""

    regex = r"[\s\S]*[^/]"


register_url_convertor("remainder", RemainderConvertor())
register_url_convertor("no_trailing_slash", NoTrailingSlashConvertor())


def parse_whole_number(text: str) -> int | None:
    """`"12"` is 12, `"12.0"` too; None for what is no whole number in plain digits, or has more than 9 of them."""
    return int(text.partition(".")[0]) if _WHOLE.fullmatch(text) else None


def parse_finite_number(text: str) -> float | None:
    """`"1.5"` is 1.5; None for what is no number in plain digits, or not finite."""
    number = float(text) if _REAL.fullmatch(text) else math.nan
    return number if math.isfinite(number) else None
