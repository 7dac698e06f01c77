"""Path parameters that take whatever is left of a path: `{name:remainder}`, and `{name:unended}`."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor


class Remainder(Convertor[str]):
    """Whatever is left of a path, slashes and newlines too."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """As it is."""
        return value

    def to_string(self, value: str) -> str:
        """As it is."""
        return value


class Unended(Remainder):
    """The same, where it does not end with a slash: those are redirected to the address without it."""

    regex = r"[\s\S]*[^/]"


register_url_convertor("remainder", Remainder())
register_url_convertor("unended", Unended())
