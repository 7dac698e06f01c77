"""Tag references: prefixes, search orders, and what can't be resolved."""

from __future__ import annotations

import pytest

from services.ehtag import TagSnapshot
from services.ehtag.markup.cells import resolve_reference
from services.ehtag.records import SEARCH_ORDERS, Namespace, parse_namespace, parse_raw_tag
from tests.tag_glossary import tag_file, tag_snapshot

PREFIXES = {
    "rows": "rows",
    "reclass": "r reclass",
    "language": "l lang language",
    "parody": "p series parody",
    "character": "c char character",
    "group": "g group creator circle",
    "artist": "a artist",
    "cosplayer": "cos coser cosplayer",
    "male": "m male",
    "female": "f female",
    "mixed": "x mix mixed",
    "other": "o other",
    "location": "loc location",
}
ORDERS = {
    "rows": "rows reclass female mixed male other location language parody character group artist cosplayer",
    "reclass": "reclass female mixed male other location language group artist cosplayer parody character rows",
    "language": "language other group artist cosplayer parody character location female mixed male reclass rows",
    "location": "location other female mixed male group artist cosplayer parody character language reclass rows",
    "other": "other language location female mixed male reclass group artist cosplayer parody character rows",
    "parody": "parody character group artist cosplayer other language location female mixed male reclass rows",
    "character": "character parody group artist cosplayer other language location female mixed male reclass rows",
    "group": "group artist cosplayer parody character other language location female mixed male reclass rows",
    "artist": "artist group cosplayer parody character other language location female mixed male reclass rows",
    "cosplayer": "cosplayer group artist parody character other language location female mixed male reclass rows",
    "male": "male mixed female other language location reclass group artist cosplayer parody character rows",
    "female": "female mixed male other language location reclass group artist cosplayer parody character rows",
    "mixed": "mixed female male other language location reclass group artist cosplayer parody character rows",
}


@pytest.mark.parametrize(
    ("namespace", "prefix"), [(ns, prefix) for ns, names in PREFIXES.items() for prefix in names.split()]
)
def test_a_prefix_names_one_namespace_in_any_case(namespace: str, prefix: str) -> None:
    assert parse_namespace(prefix) is Namespace(namespace)
    assert parse_namespace(f" {prefix.upper()}\u3000") is Namespace(namespace)


@pytest.mark.parametrize("text", ["", "temp", "toString", "f:", "fe male"])
def test_other_words_name_none(text: str) -> None:
    assert parse_namespace(text) is None


@pytest.mark.parametrize("own", list(Namespace))
def test_namespaces_are_searched_in_their_order(own: Namespace) -> None:
    order = [Namespace(name) for name in ORDERS[own.value].split()]
    assert SEARCH_ORDERS[own] == tuple(order)
    while order:
        snapshot = tag_snapshot(
            {namespace: tag_file(namespace.value, f"| river | {namespace.value}名 | | |") for namespace in order}
        )

        node = resolve_reference("river", own, snapshot).node

        assert (node["ns"], node["text"]) == (order[0].value, f"{order[0].value}名")
        del order[0]


@pytest.mark.parametrize(
    ("text", "raw"),
    [("Full Color", "full color"), ("\ufeffa.b-c 1\u3000", "a.b-c 1"), ("\u212aite", "kite")],
)
def test_a_raw_tag_is_trimmed_and_lowered(text: str, raw: str) -> None:
    assert parse_raw_tag(text) == raw


@pytest.mark.parametrize("text", ["", " ", "河", "a_b", "a\n", "a\tb", "a:b", "a\x85"])
def test_other_texts_are_no_raw_tags(text: str) -> None:
    assert parse_raw_tag(text.replace("a\n", "a\nb")) is None


def test_an_explicit_prefix_looks_in_its_namespace_only(glossary: TagSnapshot) -> None:
    found = resolve_reference("m:glasses", Namespace.FEMALE, glossary)
    missed = resolve_reference("m:kimono", Namespace.FEMALE, glossary)

    assert list(found.node.items()) == [
        ("type", "tagref"),
        ("text", "眼镜"),
        ("tag", "glasses"),
        ("ns", "male"),
        ("explicitNs", True),
    ]
    assert missed.node == {"type": "tagref", "text": "m:kimono", "tag": ""}
    assert missed.problem == "无效标签引用：`m:kimono` 在数据库中不存在。"


def test_an_invalid_tag_has_a_problem_of_its_own(glossary: TagSnapshot) -> None:
    assert resolve_reference(" 河 ", Namespace.OTHER, glossary).problem == "无效标签引用：`河` 不是一个有效的标签。"
    assert (
        resolve_reference("f:a:b", Namespace.OTHER, glossary).problem == "无效标签引用：`f:a:b` 不是一个有效的标签。"
    )
    assert resolve_reference("tail", Namespace.OTHER, glossary).problem is None


@pytest.mark.parametrize("code", ["toString:river", "constructor:river", "__proto__:river", ":river", "河:river"])
def test_an_unknown_prefix_is_dropped(glossary: TagSnapshot, code: str) -> None:
    node = resolve_reference(code, Namespace.ARTIST, glossary).node

    assert (node["tag"], node["ns"], "explicitNs" in node) == ("river", "artist", False)


def test_a_name_that_refers_to_itself_is_reported_and_shown_by_its_tag() -> None:
    snapshot = tag_snapshot({Namespace.OTHER: tag_file("其他", "| river | `river`水 | `river` | |")})
    record = snapshot.find(Namespace.OTHER, "river")
    assert record is not None

    assert record.name.text == "river(river)水"
    assert record.intro.text == "river(river)水(river)"
    assert record.name.problems == ("无效标签引用：`river` 引用了自身。",)


def test_names_that_refer_to_each_other_in_a_cycle_can_be_rendered() -> None:
    snapshot = tag_snapshot(
        {Namespace.OTHER: tag_file("其他", "| a | `b` | | |", "| b | `c` | | |", "| c | `a` | | |")}
    )
    record = snapshot.find(Namespace.OTHER, "a")
    assert record is not None

    assert record.name.text == "a(a)(c)(b)"


def test_a_long_chain_of_names_is_cut() -> None:
    rows = [f"| t{number} | `t{number + 1}` | | |" for number in range(500)]
    snapshot = tag_snapshot({Namespace.OTHER: tag_file("其他", *rows, "| t500 | 末 | | |")})
    record = snapshot.find(Namespace.OTHER, "t0")
    assert record is not None

    assert record.name.text.startswith("t")
    assert record.name.text.endswith("(t1)")
