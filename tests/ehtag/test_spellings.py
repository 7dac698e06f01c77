"""Tags that hold a name in another form, on a small database of our own."""

from __future__ import annotations

import pytest

from services.ehtag import Namespace, TagKind, TagMatch, Translator
from tests.tag_tables import Cells, snapshot_of

GENRE, WORK, CHARACTER, AUTHOR = TagKind.GENRE, TagKind.WORK, TagKind.CHARACTER, TagKind.AUTHOR

_RECORDS: dict[Namespace, dict[str, Cells]] = {
    Namespace.FEMALE: {"apron": "围裙"},
    Namespace.PARODY: {
        "steam kitchen": ("蒸汽厨房", "《蒸汽厨房》（スチームキッチン）是一部作品"),
        "gear and wind": "Gear and Wind | 齿轮与风 | GW",
        "long journey": "漫长的旅行",
        "windmill": "风车",
        "morning bakery": "晨光面包房",
    },
    Namespace.CHARACTER: {
        "hana tanaka": ("田中花", "日语：田中はな（たなか はな）"),
        "rin morita": ("森田凛", "日文名：森田リン / もりたりん"),
        "lighthouse keeper": "「守塔人」奥列格",
        "elisabeth kreuzberg": "伊丽莎白·克罗伊茨贝格",
        "takagi": "高木同学",
        "yamane": "山根",
        "mio": "小林澪",
        "alma reis": "阿尔玛·雷斯",
        "alma leis": "阿玛尔·蕾丝",
    },
    Namespace.ARTIST: {
        "kitamura sora": "北村空",
        "hoshino": "星野灯",
        "nagisa": "渚々",
        "nagi sa": "nagisa",
        "windmill artist": "风车",
    },
    Namespace.GROUP: {"cloud atelier": "云之工房"},
}


@pytest.fixture(scope="module")
def translator() -> Translator:
    return Translator(snapshot_of(_RECORDS))


@pytest.mark.parametrize(
    ("name", "kind", "tag", "match"),
    [
        ("守塔人", CHARACTER, "character:lighthouse keeper", TagMatch.EXACT),
        ("奧列格", CHARACTER, "character:lighthouse keeper", TagMatch.FOLDED),
        ("「守塔人」奧列格", CHARACTER, "character:lighthouse keeper", TagMatch.FOLDED),
        ("Tanaka Hana", CHARACTER, "character:hana tanaka", TagMatch.RAW),
        ("Sora Kitamura", AUTHOR, "artist:kitamura sora", TagMatch.RAW),
        ("田中はな", CHARACTER, "character:hana tanaka", TagMatch.ALIAS),
        ("たなかはな", CHARACTER, "character:hana tanaka", TagMatch.ALIAS),
        ("森田リン", CHARACTER, "character:rin morita", TagMatch.ALIAS),
        ("もりた りん", CHARACTER, "character:rin morita", TagMatch.ALIAS),
        ("スチームキッチン", WORK, "parody:steam kitchen", TagMatch.ALIAS),
        ("蒸汽廚房 第二季", WORK, "parody:steam kitchen", TagMatch.FOLDED),
        ("蒸汽廚房II", WORK, "parody:steam kitchen", TagMatch.FOLDED),
        ("劇場版 蒸汽廚房", WORK, "parody:steam kitchen", TagMatch.FOLDED),
        ("Gear and Wind! 風之少女", WORK, "parody:gear and wind", TagMatch.FOLDED),
        ("GW2R", WORK, "parody:gear and wind", TagMatch.FOLDED),
        ("齒輪與風Gear and Wind", WORK, "parody:gear and wind", TagMatch.FOLDED),
        ("漫長旅行Long Journey", WORK, "parody:long journey", TagMatch.FOLDED),
        ("小林澪こばやしみお", CHARACTER, "character:mio", TagMatch.FOLDED),
        ("小林澪 Mio", CHARACTER, "character:mio", TagMatch.FOLDED),
        ("高木さん", CHARACTER, "character:takagi", TagMatch.FOLDED),
        ("山根老師", CHARACTER, "character:yamane", TagMatch.FOLDED),
        ("星野燈老師", AUTHOR, "artist:hoshino", TagMatch.FOLDED),
        ("伊莉莎白・克羅伊茲貝格", CHARACTER, "character:elisabeth kreuzberg", TagMatch.ALIAS),
        ("伊莉莎白・克羅依茨柏格", CHARACTER, "character:elisabeth kreuzberg", TagMatch.ALIAS),
        ("Nagisa", AUTHOR, "artist:nagisa", TagMatch.RAW),
        ("nagisa", AUTHOR, "artist:nagi sa", TagMatch.EXACT),
        ("晨光麵包房", GENRE, "parody:morning bakery", TagMatch.ELSEWHERE),
        ("雲之工房", GENRE, "group:cloud atelier", TagMatch.ELSEWHERE),
        ("圍裙", GENRE, "female:apron", TagMatch.FOLDED),
    ],
)
def test_a_tag_finds_its_record(translator: Translator, name: str, kind: TagKind, tag: str, match: TagMatch) -> None:
    found = translator.translate(name, kind)

    assert found.record is not None
    assert (found.record.id, found.match) == (tag, match)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("風車", GENRE),  # a work and an author
        ("田中花", GENRE),  # a character
        ("小林澪みおり", CHARACTER),  # another name, not a reading
        ("阿爾馬・雷絲", CHARACTER),  # two transcribe it so
        ("小林", CHARACTER),
        ("北村空ABCDEF", AUTHOR),
        ("蒸汽", WORK),
    ],
)
def test_a_doubtful_tag_finds_none(translator: Translator, name: str, kind: TagKind) -> None:
    assert translator.translate(name, kind).record is None
