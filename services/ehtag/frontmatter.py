"""Front matter of a namespace's file: the YAML before its table."""

from __future__ import annotations

import math

from services.ehtag.markup.javascript import in_object_order

_MAX_PLAIN = 2.0**63  # what fits the JSON writers


class FrontMatterError(ValueError):
    """The text between the rules is no YAML, or no mapping."""


def read_front_matter(text: str) -> dict[str, object]:
    """What the YAML says, ready for JSON: `{"name": "女性", "rules": ["…"]}`; dates are ISO strings, keys strings.

    `no`, `on` and `12:30` are strings, as in YAML 1.2. Raises FrontMatterError.
    """
    import yaml  # late: opening a database does not need it

    from services.ehtag.yaml12 import Yaml12Loader

    try:
        value = _plain(yaml.load(text, Loader=Yaml12Loader))  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise FrontMatterError(str(error)) from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise FrontMatterError("front matter is not a mapping")
    return value


def _plain(value: object) -> object:
    """The value as `JSON.stringify` shows it: keys in order, one kind of number, no infinity."""
    if isinstance(value, dict):
        return {key: _plain(value[key]) for key in in_object_order(value)}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() and abs(value) < _MAX_PLAIN else value
    if value is None or isinstance(value, str | int):
        return value
    raise FrontMatterError(f"front matter can't hold {type(value).__name__}")
