"""Snapshots: records, their order, and problems in the data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ehtag import CellSources, TagSnapshot, normalise_record, problems_of
from services.ehtag.markup.syntax import SPACES, in_object_order
from services.ehtag.records import Namespace, Report
from tests.tag_glossary import tag_file, tag_snapshot


def test_a_snapshot_counts_and_names_its_namespaces(glossary: TagSnapshot) -> None:
    assert [info.namespace for info in glossary.namespaces] == list(Namespace)
    assert glossary.count == 17
    info = glossary.namespaces[9]
    assert (info.name, info.description, info.count) == ("female", "一组词", 3)
    assert list(info.front_matters) == ["name", "description", "key"]


def test_front_matter_keeps_the_order_of_its_keys_and_the_namespace_is_right() -> None:
    data = b"---\nkey: wrong\nabbr: o\n2: b\ndescription: \n---\n|a|b|c|d|\n|-|-|-|-|\n"

    info = tag_snapshot({Namespace.OTHER: data}).namespaces[0]

    assert list(info.front_matters.items()) == [
        ("2", "b"),
        ("name", ""),
        ("description", None),
        ("key", "other"),
        ("abbr", "o"),
    ]
    assert (info.name, info.description) == ("", "")


def test_tags_that_look_like_array_indexes_come_first() -> None:
    raws = ["b", "10", "4294967295", "a", "9", "0", "01", "4294967294", "-1", "1.5"]
    snapshot = tag_snapshot({Namespace.OTHER: tag_file("其他", *(f"| {raw} | 名 | | |" for raw in raws))})

    assert [record.raw for record in snapshot.records(Namespace.OTHER)] == [
        "0", "9", "10", "4294967294", "b", "4294967295", "a", "01", "-1", "1.5",
    ]  # fmt: skip


def test_a_record_is_one_object(glossary: TagSnapshot) -> None:
    record = glossary.find(Namespace.FEMALE, "tail")

    assert record is not None
    assert record is glossary.find(Namespace.FEMALE, "tail")
    assert record in list(glossary.records(Namespace.FEMALE))
    assert record in list(glossary.records_uncached(Namespace.FEMALE))
    assert record.id == "female:tail"


def test_uncached_records_are_not_kept() -> None:
    snapshot = tag_snapshot({Namespace.OTHER: tag_file("其他", "| river | 河 | | |")})

    first, second = next(snapshot.records_uncached(Namespace.OTHER)), next(snapshot.records_uncached(Namespace.OTHER))

    assert first is not second
    assert first.name.text == second.name.text == "河"


def test_a_namespace_without_a_file_is_empty() -> None:
    snapshot = tag_snapshot({})

    assert snapshot.find(Namespace.OTHER, "river") is None
    assert list(snapshot.records(Namespace.OTHER)) == list(snapshot.records_uncached(Namespace.OTHER)) == []
    assert (snapshot.count, snapshot.namespaces, snapshot.reports()) == (0, [], [])


def test_every_problem_is_reported_with_its_line() -> None:
    snapshot = tag_snapshot(
        {
            Namespace.OTHER: tag_file(
                "其他",
                "| river | 河 | `nope` `河` | [a](http://) |",
                "| | ▼示例 | | |",
                "| 河 | 河 | | |",
                "| River | 又河 | | |",
                "| sea | | | |",
            )
        }
    )

    assert snapshot.reports() == [
        Report("error", "无效标签引用：`nope` 在数据库中不存在。", Namespace.OTHER, 8, "river"),
        Report("error", "无效标签引用：`河` 不是一个有效的标签。", Namespace.OTHER, 8, "river"),
        Report("error", "无效链接：`http://` 不是一个有效的 URL。", Namespace.OTHER, 8, "river"),
        Report("error", "无效的原始标签", Namespace.OTHER, 10, "河"),
        Report("error", "重复的条目", Namespace.OTHER, 11, "river"),
        Report("error", "名称为空", Namespace.OTHER, 12, "sea"),
    ]
    assert snapshot.count == 2


def test_records_are_read_despite_broken_front_matter() -> None:
    data = b"---\nname: [\n---\n|a|b|c|d|\n|-|-|-|-|\n|river|\xe6\xb2\xb3|||\n"
    snapshot = tag_snapshot({Namespace.OTHER: data})

    record = snapshot.find(Namespace.OTHER, "river")

    assert record is not None
    assert record.name.text == "河"
    assert snapshot.namespaces[0].front_matters == {"name": "", "description": "", "key": "other"}
    assert [(report.line, report.message.partition("：")[0]) for report in snapshot.reports()] == [(1, "无效的前言")]


def test_a_record_is_normalised_without_being_stored(glossary: TagSnapshot) -> None:
    draft = normalise_record(
        glossary, Namespace.FEMALE, "cape", CellSources(" 斗篷<br>", "见`m:Tail`\n\n", "[a](b) `nope`")
    )

    assert [cell.raw for cell in draft.cells] == ["斗篷", "见`m:tail`", "[a](b) `nope`"]
    assert [report.message for report in problems_of(draft)] == [
        "无效链接：`b` 不是一个有效的 URL。",
        "无效标签引用：`nope` 在数据库中不存在。",
    ]
    assert glossary.find(Namespace.FEMALE, "cape") is None


def test_an_empty_name_is_a_problem(glossary: TagSnapshot) -> None:
    draft = normalise_record(glossary, Namespace.FEMALE, "cape", CellSources("\u3000<br>", "", ""))

    assert [report.message for report in problems_of(draft)] == ["名称为空"]


@pytest.mark.parametrize(
    ("text", "trimmed"), [("\ufeff\u2029 a\x85\u3000", "a\x85"), ("\x1ca\x1f", "\x1ca\x1f"), ("\u180e", "\u180e")]
)
def test_white_space_is_what_javascript_says(text: str, trimmed: str) -> None:
    assert text.strip(SPACES) == trimmed


@given(st.lists(st.text("0123456789ab", min_size=1, max_size=11), unique=True))
def test_object_order_keeps_every_key(keys: list[str]) -> None:
    ordered = in_object_order(keys)

    assert sorted(ordered) == sorted(keys)
    assert [key for key in ordered if not key.isdigit()] == [key for key in keys if not key.isdigit()]


@given(st.text(max_size=60))
def test_any_text_of_a_cell_can_be_rendered(source: str) -> None:
    cell = normalise_record(tag_snapshot({}), Namespace.OTHER, "cell", CellSources(source, "", "")).name

    assert isinstance(cell.raw + cell.text + cell.html, str)
    assert cell.ast is cell.ast
