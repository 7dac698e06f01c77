"""Mutations of good answers: what a site might send that nobody has seen it send yet. The same for the same seed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any

DECOY_ID = "123456"

DEEP, DIGITS = "\0deep\0", "\0digits\0"
"""Stand for a list in a list in a list…, 50000 levels, and for a number of 5000 digits: neither is read by Python."""

_RAW = {DEEP: "[" * 50_000 + "]" * 50_000, DIGITS: "9" * 5_000}

Path = tuple[str | int, ...]


def _shuffled_object(value: Any, random: Random) -> Any:
    """A list as PHP sends one with gaps, or an object as a list."""
    if isinstance(value, list):
        entries = [(str(index), entry) for index, entry in enumerate(value)]
        random.shuffle(entries)
        return dict(entries)
    return list(value.values()) if isinstance(value, dict) else value


def _nested(value: Any, levels: int) -> Any:
    for _ in range(levels):
        value = [value]
    return value


def _within_itself(value: Any, _random: Random) -> Any:
    """A comment that answers itself that answers itself…; nothing else has a place for that."""
    for _ in range(300):
        value = {**value, "replys": [value]} if isinstance(value, dict) else value
    return value


def _with_stray(value: Any, random: Random) -> Any:
    """A list with an entry that is none."""
    if not isinstance(value, list):
        return [value]
    at = random.randint(0, len(value))
    return [*value[:at], random.choice([None, "ori", "", 17, [], {}, True, "x?v=1"]), *value[at:]]


_REPLACEMENTS: tuple[Callable[[Any, Random], Any], ...] = (
    lambda _value, _random: None,
    lambda _value, _random: [],
    lambda _value, _random: {},
    lambda _value, _random: "",
    lambda _value, _random: 0,
    lambda _value, _random: -1,
    lambda _value, _random: 17,
    lambda _value, _random: "17",
    lambda _value, _random: True,
    lambda _value, _random: False,
    lambda _value, _random: 10**30,
    lambda _value, _random: -(10**30),
    lambda _value, _random: 1.5,
    lambda _value, _random: float("nan"),
    lambda _value, _random: float("inf"),
    lambda _value, _random: "\ud800 \udfff\0\x1b",
    lambda _value, _random: "&lt;b&gt;&#0;&#xd800;&#99999999999;",
    lambda _value, _random: DEEP,
    lambda _value, _random: DIGITS,
    lambda value, _random: [value],
    lambda value, _random: {"0": value},
    lambda value, _random: _nested(value, 300),
    lambda value, _random: str(value),
    lambda value, random: value[: random.randint(0, len(value))] if isinstance(value, (str, list)) else value,
    _shuffled_object,
    _with_stray,
    _within_itself,
)


def mutated_data(data: Any, random: Random, keep: str = r"$^") -> Any:
    """`data` with one to three mutations; a place that `keep` matches ("content/3/id") is only dropped or replaced
    by what can be no number.
    """
    data = deepcopy(data)
    for _ in range(random.randint(1, 3)):
        _mutate_once(data, random, re.compile(keep))
    return data


def _mutate_once(data: Any, random: Random, keep: re.Pattern[str]) -> None:
    paths = list(_paths(data))
    if not paths:
        return
    depth = random.choice(sorted({len(path) for path in paths}))
    *parents, last = random.choice([path for path in paths if len(path) == depth])
    parent = data
    for name in parents:
        parent = parent[name]
    if random.random() < 0.2:
        del parent[last]
    elif keep.search("/".join(map(str, (*parents, last)))):
        parent[last] = random.choice([None, [], {}, "", -1, True, DEEP])
    else:
        parent[last] = random.choice(_REPLACEMENTS)(parent[last], random)


def _paths(data: Any, path: Path = ()) -> Iterator[Path]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for name, value in items:
        yield (*path, name)
        if len(path) < 5:
            yield from _paths(value, (*path, name))


def as_json(data: Any) -> bytes:
    """The mutated data as the site would send it."""
    text = json.dumps(data)
    for marker, raw in _RAW.items():
        text = text.replace(json.dumps(marker), raw)
    return text.encode()


def mutated_bytes(plain: bytes, random: Random) -> bytes:
    """An answer that is damaged as a whole: cut, twice, in another encoding."""
    text = plain.decode()
    at = random.randint(0, len(plain))
    return random.choice(
        [
            plain[:at],
            plain[at:],
            b"",
            plain + plain,
            b"\xef\xbb\xbf" + plain,
            text.encode("utf-16"),
            text.encode("gbk", "replace"),
            plain[:at] + b"\xff\xfe" + plain[at:],
            plain[:at] + b"\0" + plain[at:],
            random.randbytes(200),
        ]
    )


_PAGE_LIST = re.compile(r"var page_arr = .*;")


def mutated_page(page: bytes, random: Random, id: str) -> bytes:
    """A web page with one to three mutations; the list of pages is only replaced as a whole, or mutated as JSON."""
    if random.random() < 0.1:
        return mutated_bytes(page, random)
    text = page.decode()
    for _ in range(random.randint(1, 3)):
        text = random.choice(_PAGE_MUTATIONS)(text, random, id)
    return text.encode("utf-8", "surrogatepass")


def _span(text: str, random: Random, longest: int) -> tuple[int, int]:
    """A span of the text outside of the list of pages."""
    while True:
        begin = random.randint(0, len(text))
        end = min(len(text), begin + random.randint(1, longest))
        listed = _PAGE_LIST.search(text)
        if listed is None or end <= listed.start() or begin >= listed.end():
            return begin, end


def _cut(text: str, random: Random, _id: str) -> str:
    return text[: random.randint(0, len(text))]


def _without_span(text: str, random: Random, _id: str) -> str:
    begin, end = _span(text, random, 400)
    return text[:begin] + text[end:]


def _span_twice(text: str, random: Random, _id: str) -> str:
    begin, end = _span(text, random, 400)
    return text[:end] + text[begin:]


def _without_line(text: str, random: Random, _id: str) -> str:
    lines = text.split("\n")
    del lines[random.randrange(len(lines))]
    return "\n".join(lines)


def _without_tag(text: str, random: Random, _id: str) -> str:
    tags = list(re.finditer(r"<[^<>]+>", text))
    if not tags:
        return text
    tag = random.choice(tags)
    return text[: tag.start()] + text[tag.end() :]


def _other_id(text: str, _random: Random, id: str) -> str:
    return text.replace(id, DECOY_ID)


def _other_quotes(text: str, _random: Random, _id: str) -> str:
    listed = _PAGE_LIST.search(text)
    changed = text.replace('"', "'")
    return changed if listed is None else _PAGE_LIST.sub(lambda _: listed[0], changed)


def _other_number(text: str, random: Random, _id: str) -> str:
    """Another number where a count or a date is; none that a link or the number of the album has."""
    numbers = list(re.finditer(r"(?<=[>: -])\d+(?=[<\] K-])", text))
    if not numbers:
        return text
    number = random.choice(numbers)
    return text[: number.start()] + random.choice(["", "0", "-5", "9" * 40, "NaN", "1e99"]) + text[number.end() :]


def _odd_page_list(text: str, random: Random, _id: str) -> str:
    listed = _PAGE_LIST.search(text)
    if listed is None:
        return text
    try:
        names = json.loads(listed[0].removeprefix("var page_arr = ")[:-1])
    except (ValueError, RecursionError):  # mutated before
        return text
    holder = {"images": names}
    _mutate_once(holder, random, re.compile(r"$^"))
    names = holder.get("images")
    written = "" if names is None else as_json(names).decode()
    return text[: listed.start()] + f"var page_arr = {written};" + text[listed.end() :]


_PAGE_MUTATIONS = (
    _cut,
    _without_span,
    _without_span,
    _span_twice,
    _without_line,
    _without_tag,
    _other_id,
    _other_quotes,
    _other_number,
    _odd_page_list,
)
