"""Characters of one name are told apart by their works, on a small database of our own."""

from __future__ import annotations

import pytest

from services.ehtag import Namespace, TagKind, TagMatch, Translator, parse_aliases
from tests.tag_tables import Cells, snapshot_of

CHARACTER = TagKind.CHARACTER

_RECORDS: dict[Namespace, dict[str, Cells]] = {
    Namespace.PARODY: {
        "harbour tales": "海港物语",
        "harbour tales 2": "海港物语2",
        "snow line": "雪线列车：启程",
        "tea mountain": "茶山Project",
        "night garden": "夜之花园",
    },
    Namespace.CHARACTER: {
        "lotte": ("洛特", "所属作品：`snow line`"),
        "lotte 2": ("洛特", "《海港物语》的角色。"),
        "lotte 3": ("洛特", "", "[百科](https://wiki.example/洛特%28夜之花园%29)"),
        "lotte 4": ("洛特 | 萝特", "茶山Project系列的厨师"),
        "captain": ("船长（海港物语）", "开船的人"),
        "captain 2": ("船长", "《海港物语》的船长请见`captain`。所属作品：`snow line`"),
        "mia": ("米娅", "出自：`p:night garden`"),
        "mia blum": ("米娅·布鲁姆", "出自：`p:snow line`"),
        "oleg": ("奥列格", "所属作品：`harbour tales 2`"),
        "kim": ("金", "所属作品：`tea mountain`"),
    },
}

_ALIASES = """
[work]
"港灣傳說" = "parody:harbour tales"

[character]
"米婭" = "character:mia blum"
"洛特（茶山）" = "character:lotte 4"
"""


@pytest.fixture(scope="module")
def translator() -> Translator:
    return Translator(snapshot_of(_RECORDS), parse_aliases(_ALIASES))


def _first(translator: Translator, name: str, *works: str) -> tuple[str | None, TagMatch | None]:
    found = translator.translate(name, CHARACTER, works)
    return found.record.raw if found.record else None, found.match


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("洛特（雪線列車：啓程）", "lotte"),
        ("洛特(雪线列车:启程)", "lotte"),
        ("「洛特（雪線列車：啟程）」", "lotte"),
        ("洛特【海港物語】", "lotte 2"),
        ("洛特（港灣傳說）", "lotte 2"),
        ("洛特（夜の花園）", "lotte 3"),
        ("洛特（茶山PROJECT（廚師））", "lotte 4"),
        ("洛特（茶山）", "lotte 4"),
        ("萝特（茶山Project）", "lotte 4"),
        ("船長（海港物語）", "captain"),
        ("船長（雪線列車：啟程）", "captain 2"),
        ("米婭（夜之花園）", "mia"),
        ("米婭（雪線列車：啟程）", "mia blum"),
    ],
)
def test_the_work_in_brackets_decides(translator: Translator, name: str, raw: str) -> None:
    found, match = _first(translator, name)

    assert found == raw
    assert match is not TagMatch.AMBIGUOUS


@pytest.mark.parametrize(
    ("name", "works", "raw"),
    [
        ("洛特", ("雪線列車：啟程",), "lotte"),
        ("洛特", ("港灣傳說",), "lotte 2"),
        ("洛特", ("無關之作", "夜之花園"), "lotte 3"),
        ("米婭", ("夜之花園",), "mia"),
        ("米婭", ("雪線列車：啟程",), "mia blum"),
    ],
)
def test_without_brackets_the_works_beside_it_decide(
    translator: Translator, name: str, works: tuple[str, ...], raw: str
) -> None:
    found, match = _first(translator, name, *works)

    assert found == raw
    assert match is not TagMatch.AMBIGUOUS


@pytest.mark.parametrize("works", [(), ("無關之作",)])
def test_where_no_work_decides_the_first_is_ambiguous(translator: Translator, works: tuple[str, ...]) -> None:
    found = translator.translate("洛特", CHARACTER, works)

    assert found.record is not None
    assert (found.record.raw, found.match) == ("lotte", TagMatch.AMBIGUOUS)
    assert [record.raw for record in found.alternatives] == ["lotte 2", "lotte 3", "lotte 4"]


def test_a_record_of_exactly_the_name_that_the_table_gives_to_another_is_a_doubt(translator: Translator) -> None:
    found = translator.translate("米婭", CHARACTER)

    assert found.record is not None
    assert (found.record.raw, found.match) == ("mia blum", TagMatch.AMBIGUOUS)
    assert [record.raw for record in found.alternatives] == ["mia"]


def test_namesakes_stay_alternatives_where_the_work_decides(translator: Translator) -> None:
    found = translator.translate("洛特（海港物語）", CHARACTER)

    assert {record.raw for record in found.alternatives} == {"lotte", "lotte 3", "lotte 4"}


def test_a_short_name_is_not_joined_to_a_character_of_another_work(translator: Translator) -> None:
    assert _first(translator, "金（茶山Project）") == ("kim", TagMatch.EXACT)
    assert _first(translator, "金（夜之花園）") == (None, None)
    assert _first(translator, "金（無關之作）") == ("kim", TagMatch.EXACT)


def test_a_work_of_the_same_series_is_no_other_work(translator: Translator) -> None:
    assert _first(translator, "奧列格（海港物語）") == ("oleg", TagMatch.FOLDED)


@pytest.mark.parametrize("name", ["海港物語 洛特", "海港物语洛特", "海港物語：洛特"])
def test_a_work_and_a_name_in_one_tag_are_both_read(translator: Translator, name: str) -> None:
    assert _first(translator, name)[0] == "lotte 2"


def test_the_works_beside_other_kinds_do_not_matter(translator: Translator) -> None:
    assert translator.translate("海港物語", TagKind.WORK, ["雪線列車：啟程"]) is translator.translate(
        "海港物語", TagKind.WORK
    )
