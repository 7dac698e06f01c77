from __future__ import annotations

from collections.abc import Collection

import pytest

from services.catalog import AlbumTags, ContentPolicy
from tests.fakes import FakeTagIndex

TAG_IDS: dict[str, Collection[str]] = {
    "雪嶽": ("other:snow",),
    "積雪": ("other:snow", "female:snow"),
    "青石": ("artist:aoishi",),
}


def policy(*blocked: str, ids: dict[str, Collection[str]] | None = None) -> ContentPolicy:
    return ContentPolicy(FakeTagIndex(TAG_IDS if ids is None else ids), blocked)


@pytest.mark.parametrize("name", ["蘿莉", "萝莉", "正太", "幼女", "female:lolicon", "Female:Lolicon", "m:shotacon"])
def test_the_built_in_list_is_always_there(name: str) -> None:
    assert policy().blocked_genres(["山", name]) == (name,)
    assert policy("雪").blocked_genres([name]) == (name,)
    assert policy("").blocked_genres([name]) == (name,)


def test_an_album_without_withheld_tags_may_be_shown() -> None:
    assert policy("雪").blocked_genres(["山", "海", ""]) == ()
    assert policy("雪").blocked_genres([]) == ()


def test_a_host_adds_spellings_of_the_site() -> None:
    assert policy("溫泉").blocked_genres(["山", "溫泉"]) == ("溫泉",)


def test_spellings_are_compared_folded() -> None:
    assert policy("雪 岳").blocked_genres(["雪·嶽"]) == ("雪·嶽",)
    assert policy("Steam").blocked_genres(["STEAM"]) == ("STEAM",)


@pytest.mark.parametrize("id", ["other:snow", "Other:Snow", " other: snow ", "o:snow"])
def test_a_host_adds_ids(id: str) -> None:
    assert policy(id).blocked_genres(["山", "雪嶽", "積雪"]) == ("雪嶽", "積雪")


def test_a_tag_that_may_mean_a_withheld_record_is_withheld() -> None:
    assert policy("female:snow").blocked_genres(["積雪"]) == ("積雪",)
    assert policy("female:snow").blocked_genres(["雪嶽"]) == ()


def test_a_withheld_author_withholds_the_album() -> None:
    assert policy("artist:aoishi").blocked_tags(AlbumTags(tags=("山",), authors=("青石",))) == ("青石",)


def test_every_spelling_known_of_a_blocked_id_is_excluded_upstream() -> None:
    assert policy("other:snow", "溫泉").exclusions == ("蘿莉", "萝莉", "正太", "幼女", "溫泉", "雪嶽", "積雪")


def test_a_spelling_with_a_blank_is_not_excluded_upstream() -> None:
    assert policy("full color").exclusions == ("蘿莉", "萝莉", "正太", "幼女")


def test_a_withheld_name_in_a_title_is_found() -> None:
    titles = ["山行", "[溫泉] 旅", "雪嶽行", "Steamboat", "The Steam Age", "STEAM·山"]

    assert policy("溫泉", "other:snow", "steam").blocked_titles(titles) == [False, True, True, False, True, True]


def test_katakana_in_a_title_must_begin_a_word() -> None:
    titles = ["ユキ山", "山ユキ", "ユキノ", "ミユキ", "スーユキ"]

    assert policy("ユキ").blocked_titles(titles) == [True, True, True, False, False]


def test_a_single_character_in_a_title_is_ignored() -> None:
    assert policy("山").blocked_titles(["山行"]) == [False]
    assert policy("山").blocked_genres(["山"]) == ("山",)


@pytest.mark.parametrize("text", ["溫泉", "+溫泉", "山 溫泉", "山溫泉", "雪嶽"])
def test_a_search_for_a_withheld_name_is_recognised(text: str) -> None:
    assert policy("溫泉", "other:snow").searches_for_blocked(text)


@pytest.mark.parametrize("text", ["山", "", "-溫泉 山"])
def test_any_other_search_is_allowed(text: str) -> None:
    assert not policy("溫泉", "other:snow").searches_for_blocked(text)


def test_decisions_follow_the_tag_database() -> None:
    tag_index = FakeTagIndex()
    rules = ContentPolicy(tag_index, ["other:snow"])
    before = rules.version
    assert rules.blocked_genres(["雪嶽"]) == ()

    tag_index.ids["雪嶽"] = ("other:snow",)
    tag_index.version = 1

    assert rules.version != before
    assert rules.blocked_genres(["雪嶽"]) == ("雪嶽",)
    assert "雪嶽" in rules.exclusions


def test_a_person_blocks_more_than_the_host() -> None:
    host = policy("溫泉")
    own = host.blocking(["other:snow"])

    assert own.blocked_genres(["雪嶽", "溫泉", "蘿莉", "山"]) == ("雪嶽", "溫泉", "蘿莉")
    assert host.blocked_genres(["雪嶽", "溫泉", "蘿莉", "山"]) == ("溫泉", "蘿莉")
    assert own.exclusions == (*host.exclusions, "雪嶽", "積雪")


def test_of_a_person_with_many_tags_the_site_hears_a_part() -> None:
    host = policy("溫泉")

    exclusions = host.blocking([f"tag{number}" for number in range(100)]).exclusions

    assert exclusions[:5] == host.exclusions
    assert len(exclusions) == 60
