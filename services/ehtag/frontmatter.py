"""Front matter of a namespace file, read with the YAML 1.2 types of js-yaml."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from services.ehtag.markup.syntax import in_object_order

_PREFIX = "tag:yaml.org,2002:"
_DIGITS = list("0123456789")
_MAX_EXACT = 2**53  # above, JavaScript's numbers are rounded
_MAX_PLAIN = 2.0**63  # what fits the JSON writers

_NULL = re.compile(r"(?:~|null|Null|NULL|)\Z")
_BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_INT = re.compile(r"[-+]?(?:0b[01_]*[01]|0x[0-9a-fA-F_]*[0-9a-fA-F]|0o[0-7_]*[0-7]|[0-9](?:[0-9_]*[0-9])?)\Z")
_FLOAT = re.compile(
    r"(?:[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9_]+(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))(?<!_)\Z"
)
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})\Z")
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt]|[ \t]+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]*))?"
    r"(?:[ \t]*(?:Z|([-+])([0-9]{1,2})(?::([0-9]{2}))?))?\Z"
)
_MERGE = re.compile(r"<<\Z")


class FrontMatterError(ValueError):
    """The front matter is no YAML, or no mapping."""


def read_front_matter(text: str) -> dict[str, object]:
    """What the YAML says, ready for JSON: `{"name": "女性", "rules": ["…"]}`; dates are ISO strings, keys strings.

    `no`, `on` and `12:30` are strings, as in YAML 1.2. Raises FrontMatterError.
    """
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


class Yaml12Loader(yaml.SafeLoader):
    """Plain data only; a subclass, so that PyYAML's SafeLoader stays unchanged for the process."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own type

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping whose keys are strings, as in JavaScript."""
        self.flatten_mapping(node)
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = _key(self.construct_object(key_node, deep=True))
            mapping[key] = self.construct_object(value_node, deep=deep)
        return mapping


def _key(key: object) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return "null" if key is None else str(key)


def _int(text: str) -> int | float:
    digits = text.replace("_", "")
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    base = {"0b": 2, "0x": 16, "0o": 8}.get(digits[:2])
    value = sign * (int(digits[2:], base) if base else int(digits))
    return value if abs(value) < _MAX_EXACT else float(value)


def _float(text: str) -> float:
    digits = text.replace("_", "").lower()
    return float(digits.replace(".", "") if digits.endswith((".inf", ".nan")) else digits)


def _timestamp(text: str) -> str:
    """The moment as `Date.prototype.toJSON` shows it, "2024-05-01T00:00:00.000Z"."""
    if match := _DATE.match(text):
        return _shown(_moment(*map(int, match.groups())))
    match = _TIME.match(text)
    if match is None:
        raise ValueError("not a timestamp")
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    millis = int((match[7] or "")[:3].ljust(3, "0"))
    moment = _moment(year, month, day) + timedelta(hours=hour, minutes=minute, seconds=second, milliseconds=millis)
    offset = timedelta(hours=int(match[9] or 0), minutes=int(match[10] or 0))
    return _shown(moment + offset if match[8] == "-" else moment - offset)


def _moment(year: int, month: int, day: int) -> datetime:
    """As `Date.UTC`: a month or a day beyond the last one rolls over."""
    years, months = divmod(month - 1, 12)
    return datetime(year + years, months + 1, 1, tzinfo=UTC) + timedelta(days=day - 1)


def _shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _add_type(name: str, pattern: re.Pattern[str], first: list[str], convert: Callable[[str], object]) -> None:
    def construct(loader: Yaml12Loader, node: yaml.ScalarNode) -> object:
        return convert(str(loader.construct_scalar(node)))

    Yaml12Loader.add_implicit_resolver(_PREFIX + name, pattern, first)
    Yaml12Loader.add_constructor(_PREFIX + name, construct)


_add_type("null", _NULL, ["~", "n", "N", ""], lambda _: None)
_add_type("bool", _BOOL, list("tTfF"), lambda text: text.lower() == "true")
_add_type("int", _INT, [*_DIGITS, "-", "+"], _int)
_add_type("float", _FLOAT, [*_DIGITS, "-", "+", "."], _float)
_add_type("timestamp", _DATE, _DIGITS, _timestamp)
_add_type("timestamp", _TIME, _DIGITS, _timestamp)
_add_type("merge", _MERGE, ["<"], str)  # a key is merged before this is asked; a value is text
