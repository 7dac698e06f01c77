"""From a tag of the site to its record, on a small database of our own."""

from __future__ import annotations

import pytest

from services.ehtag import TagSnapshot, Translator, parse_aliases
from services.ehtag.records import Namespace, TagKind, TagMatch
from tests.tag_tables import snapshot_of

GENRE, WORK, CHARACTER, AUTHOR = TagKind.GENRE, TagKind.WORK, TagKind.CHARACTER, TagKind.AUTHOR

_RECORDS = {
    Namespace.FEMALE: {
        "glasses": "眼镜👓",
        "tail": "尾巴",
        "fox girl": "狐女",
        "apron": "围裙",
        "gardener": "园丁",
        "ferrywoman": "船家♀",
    },
    Namespace.MALE: {"glasses": "眼镜👓", "apron": "围裙", "ferryman": "船家♂", "beard": "胡子"},
    Namespace.MIXED: {"glasses": "眼镜👓"},
    Namespace.OTHER: {"full color": "全彩", "3d": "3D"},
    Namespace.LANGUAGE: {"chinese": "汉语"},
    Namespace.PARODY: {
        "nichijou": "日常",
        "fate zero": "Fate/Zero",
        "sky train": "天空列车系列",
        "moon blade": "月之剑",
        "tea house": "茶屋物语！",
    },
    Namespace.CHARACTER: {
        "anna": "安娜",
        "anna 2": "安娜",
        "mei": "小美（美铃）",
        "captain": "船长（天空列车）",
        "duke": "公爵（FGO）",
        "tina": "蒂娜·罗斯",
    },
    Namespace.GROUP: {"tea table": "茶几", "mana": "MANA", "nada": "NADA"},
    Namespace.ARTIST: {"haguruma": "歯車", "mana": "MANA", "ruri": "ルリ | 瑠璃", "c": "C"},
}

_ALIASES = """
qualifiers = ["FGO"]

[genre]
"眼鏡娘" = "female:glasses"
"鬍鬚" = { to = ["male:beard", "female:tail"], why = "beards are men's" }
"花匠" = "female:florist"
"船家" = "male:ferryman"

[work]
"小車" = "parody:sky train"

[none.genre]
"a mood" = ["日常", "尾巴控"]
"""


@pytest.fixture(scope="module")
def snapshot() -> TagSnapshot:
    return snapshot_of(_RECORDS)


@pytest.fixture(scope="module")
def translator(snapshot: TagSnapshot) -> Translator:
    return Translator(snapshot, parse_aliases(_ALIASES))


@pytest.mark.parametrize(
    ("name", "kind", "tag", "match"),
    [
        ("全彩", GENRE, "other:full color", TagMatch.EXACT),
        ("圍裙", GENRE, "female:apron", TagMatch.FOLDED),
        ("眼鏡", GENRE, "female:glasses", TagMatch.FOLDED),
        ("眼鏡娘", GENRE, "female:glasses", TagMatch.ALIAS),
        ("眼镜娘", GENRE, "female:glasses", TagMatch.ALIAS),
        ("glasses", GENRE, "female:glasses", TagMatch.RAW),
        ("Full_Color", GENRE, "other:full color", TagMatch.RAW),
        ("female:glasses", GENRE, "female:glasses", TagMatch.RAW),
        ("f:glasses", GENRE, "female:glasses", TagMatch.RAW),
        ("m:眼镜", GENRE, "male:glasses", TagMatch.FOLDED),
        ("男性：眼鏡", GENRE, "male:glasses", TagMatch.FOLDED),
        ("男性眼鏡", GENRE, "male:glasses", TagMatch.FOLDED),
        ("女園丁", GENRE, "female:gardener", TagMatch.FOLDED),
        ("眼鏡（男）", GENRE, "male:glasses", TagMatch.FOLDED),
        ("眼鏡控", GENRE, "female:glasses", TagMatch.FOLDED),
        ("圍裙play", GENRE, "female:apron", TagMatch.FOLDED),
        ("風景 / 圍裙", GENRE, "female:apron", TagMatch.FOLDED),
        ("圍裙（廚房）", GENRE, "female:apron", TagMatch.FOLDED),
        ("Fate/Zero", WORK, "parody:fate zero", TagMatch.EXACT),
        ("Fate Zero", WORK, "parody:fate zero", TagMatch.FOLDED),
        ("天空列車", WORK, "parody:sky train", TagMatch.FOLDED),
        ("天空列车系列", WORK, "parody:sky train", TagMatch.EXACT),
        ("小車", WORK, "parody:sky train", TagMatch.ALIAS),
        ("月の剣", WORK, "parody:moon blade", TagMatch.FOLDED),
        ("茶屋物語", WORK, "parody:tea house", TagMatch.FOLDED),
        ("日常", WORK, "parody:nichijou", TagMatch.EXACT),
        ("美鈴", CHARACTER, "character:mei", TagMatch.FOLDED),
        ("小美", CHARACTER, "character:mei", TagMatch.EXACT),
        ("船長", CHARACTER, "character:captain", TagMatch.FOLDED),
        ("蒂娜・羅斯", CHARACTER, "character:tina", TagMatch.FOLDED),
        ("瑠璃", AUTHOR, "artist:ruri", TagMatch.EXACT),
        ("るり", AUTHOR, "artist:ruri", TagMatch.FOLDED),
        ("茶几（歯車）", AUTHOR, "artist:haguruma", TagMatch.EXACT),
        ("茶几", AUTHOR, "group:tea table", TagMatch.EXACT),
        ("茶屋物語", GENRE, "parody:tea house", TagMatch.ELSEWHERE),
        ("小車", GENRE, "parody:sky train", TagMatch.ELSEWHERE),
        ("歯車", GENRE, "artist:haguruma", TagMatch.ELSEWHERE),
    ],
)
def test_a_tag_finds_its_record(translator: Translator, name: str, kind: TagKind, tag: str, match: TagMatch) -> None:
    found = translator.translate(name, kind)

    assert (found.name, found.kind) == (name, kind)
    assert found.record is not None
    assert (found.record.id, found.match) == (tag, match)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("日常", GENRE),
        ("尾巴控", GENRE),
        ("parody:nichijou", GENRE),
        ("male:tail", GENRE),
        ("男狐女", GENRE),
        ("花匠", GENRE),
        ("風景", GENRE),
        ("眼鏡", WORK),
        ("天空列車", CHARACTER),
        ("NADA", GENRE),
        ("FGO", CHARACTER),
        ("C+", AUTHOR),
        ("", GENRE),
        ("   ", GENRE),
        ("☆", GENRE),
        ("眼" * 500, GENRE),
    ],
)
def test_a_tag_may_have_no_record(translator: Translator, name: str, kind: TagKind) -> None:
    found = translator.translate(name, kind)

    assert (found.record, found.match, found.alternatives) == (None, None, ())


def _alternatives(translator: Translator, name: str, kind: TagKind) -> list[str]:
    return [record.id for record in translator.translate(name, kind).alternatives]


def test_the_other_genders_follow_female_first(translator: Translator) -> None:
    assert _alternatives(translator, "眼鏡", GENRE) == ["mixed:glasses", "male:glasses"]
    assert _alternatives(translator, "眼鏡娘", GENRE) == ["mixed:glasses", "male:glasses"]
    assert _alternatives(translator, "男性眼鏡", GENRE) == []


def test_records_of_the_same_name_follow_in_the_order_of_the_release(translator: Translator) -> None:
    assert translator.translate("安娜", CHARACTER).record is not None
    assert _alternatives(translator, "安娜", CHARACTER) == ["character:anna 2"]


def test_an_artist_comes_before_a_group_of_the_same_name(translator: Translator) -> None:
    found = translator.translate("MANA", AUTHOR)

    assert found.record is not None
    assert [found.record.id, *(record.id for record in found.alternatives)] == ["artist:mana", "group:mana"]


def test_the_table_comes_before_the_names(translator: Translator) -> None:
    found = translator.translate("船家", GENRE)

    assert found.record is not None
    assert [found.record.id, *(record.id for record in found.alternatives)] == ["male:ferryman", "female:ferrywoman"]


def test_many_names_keep_their_order_and_duplicates(translator: Translator) -> None:
    found = translator.translate_many(["全彩", "風景", "全彩", "glasses"], GENRE)

    assert [each.record and each.record.id for each in found] == [
        "other:full color",
        None,
        "other:full color",
        "female:glasses",
    ]


def test_a_record_has_the_spellings_of_the_site(translator: Translator, snapshot: TagSnapshot) -> None:
    glasses = snapshot.find(Namespace.FEMALE, "glasses")
    apron = snapshot.find(Namespace.FEMALE, "apron")
    assert glasses is not None
    assert apron is not None

    assert translator.spellings(glasses) == ("眼鏡娘",)
    assert translator.spellings(apron) == ()


def test_ids_of_a_tag_are_all_that_it_may_mean(translator: Translator) -> None:
    assert translator.ids_of("眼鏡") == {"female:glasses", "mixed:glasses", "male:glasses"}
    assert translator.ids_of("花匠") == {"female:florist"}
    assert translator.ids_of("female:glasses") == {"female:glasses"}
    assert translator.ids_of("風景") == frozenset()


def test_an_entry_for_a_missing_record_is_reported(translator: Translator) -> None:
    assert [(report.message, report.namespace, report.raw) for report in translator.reports] == [
        ("花匠: female:florist is not in the database", Namespace.FEMALE, "florist")
    ]
