"""The tag index of the policy, over a real tag database."""

from __future__ import annotations

from services.catalog import AlbumTags, ContentPolicy, EhTagIndex
from services.ehtag import Namespace, TagKind, Translator
from tests.tag_glossary import tag_file, tag_snapshot


def translator(**names: str) -> Translator:
    """Of records of namespace other, and one artist."""
    rows = [f"| {raw.replace('_', ' ')} | {name} |  |  |" for raw, name in names.items()]
    artist = "| river | 河 |  |  |"
    return Translator(
        tag_snapshot({Namespace.OTHER: tag_file("其他", *rows), Namespace.ARTIST: tag_file("艺术家", artist)})
    )


def test_a_tag_is_known_by_its_translated_name_however_it_is_written() -> None:
    tag_index = EhTagIndex(lambda: translator(snow_scene="雪景"))

    assert tag_index.ids_of("雪景", TagKind.GENRE) == {"other:snow scene"}
    assert ContentPolicy(tag_index, ["other:snow scene"]).blocked_genres(["雪 景", "山", "Snow Scene"]) == (
        "雪 景",
        "Snow Scene",
    )


def test_an_author_is_known_by_kind() -> None:
    policy = ContentPolicy(EhTagIndex(lambda: translator(snow="雪")), ["artist:river"])

    assert policy.blocked_tags(AlbumTags(tags=("河",))) == ()
    assert policy.blocked_tags(AlbumTags(authors=("河",))) == ("河",)


def test_exclusions_follow_the_alias_table_whatever_the_snapshot_holds() -> None:
    exclusions = ContentPolicy(EhTagIndex(lambda: translator(snow="雪")), ["other:full color"]).exclusions

    assert exclusions[:4] == ("蘿莉", "萝莉", "正太", "幼女")
    assert "全彩" in exclusions


def test_a_new_snapshot_is_a_new_version() -> None:
    current = translator(snow="雪")
    tag_index = EhTagIndex(lambda: current)
    policy = ContentPolicy(tag_index, ["other:dusk"])
    before = policy.version
    assert policy.version == before
    assert policy.blocked_genres(["黄昏"]) == ()

    current = translator(dusk="黄昏")

    assert policy.version != before
    assert policy.blocked_genres(["黃昏"]) == ("黃昏",)
