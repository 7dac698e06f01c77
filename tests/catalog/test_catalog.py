from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from services.cache import Cache, RedisTier
from services.catalog import Catalog, ContentPolicy, Freshness
from services.errors import (
    AlbumNotFound,
    BlockedByPolicy,
    ChapterNotFound,
    InvalidInput,
    UpstreamFailure,
    UpstreamReason,
)
from services.observability import open_stats
from services.redis import RedisClient
from services.upstream.records import AlbumDetail, AlbumSummary, ChapterDetail, Period, RankingQuery, SearchQuery
from tests.fakes import Clock, FakeSite, FakeTagIndex, album
from tests.waiting import until

pytestmark = pytest.mark.anyio

BLOCKED = "積雪"
NewCatalog = Callable[..., Catalog]


@pytest.fixture
def site() -> FakeSite:
    """Three albums to show and one, the second, to withhold."""
    return FakeSite(
        album("1", "山", related=["2", "3"]), album("2", "山", BLOCKED), album("3", "海"), album("4", "山", "海")
    )


@pytest.fixture
async def new_catalog(redis_client: RedisClient, clock: Clock) -> AsyncIterator[NewCatalog]:
    """Makes catalogs as separate processes would have them."""
    made: list[tuple[Catalog, Cache]] = []

    def make(site: FakeSite, *, is_strict: bool = False, concurrency: int = 4) -> Catalog:
        shared = RedisTier(redis_client, clock=clock)
        cache = Cache(shared, stale_s=1000.0, clock=clock)
        policy = ContentPolicy(FakeTagIndex(), [BLOCKED], is_strict=is_strict)
        freshness = Freshness(search_s=60, ranking_s=60, album_s=60, comments_s=60)
        catalog = Catalog(
            site,
            cache,
            shared,
            policy,
            freshness,
            concurrency=concurrency,
            site_url="https://comics.example",
            clock=clock,
        )
        made.append((catalog, cache))
        return catalog

    yield make
    for catalog, cache in made:
        await catalog.aclose()
        await cache.aclose()


def ids(lines: tuple[AlbumSummary, ...]) -> list[str]:
    return [line.id for line in lines]


async def ranked(catalog: Catalog) -> list[tuple[int, str]]:
    return [(line.rank, line.album.id) for line in (await catalog.ranking(RankingQuery())).entries]


# ── albums ──


async def test_an_album_is_found(new_catalog: NewCatalog, site: FakeSite) -> None:
    assert await new_catalog(site).find_album("3") == album("3", "海")


async def test_an_album_that_is_not_there_is_none(new_catalog: NewCatalog, site: FakeSite) -> None:
    catalog = new_catalog(site)

    assert await catalog.find_album("404") is None
    with pytest.raises(AlbumNotFound):
        await catalog.get_album("404")


async def test_find_gives_none_for_a_withheld_album_and_get_raises_with_the_tags(
    new_catalog: NewCatalog, site: FakeSite
) -> None:
    catalog = new_catalog(site)

    assert await catalog.find_album("2") is None
    with pytest.raises(BlockedByPolicy) as blocked:
        await catalog.get_album("2")
    assert blocked.value.tags == (BLOCKED,)


async def test_an_album_again_costs_no_call_and_is_the_same_object(new_catalog: NewCatalog, site: FakeSite) -> None:
    catalog = new_catalog(site)
    first = await catalog.find_album("3")

    assert await catalog.find_album("3") is first
    assert site.calls == {"album 3": 1}


async def test_a_chapter_number_leads_to_its_album(new_catalog: NewCatalog, site: FakeSite) -> None:
    site.albums["31"] = site.albums["3"]
    site.albums["21"] = site.albums["2"]
    catalog = new_catalog(site)

    assert await catalog.find_album("31") == album("3", "海")
    assert await catalog.find_album("21") is None


async def test_many_albums_come_in_the_order_asked_each_fetched_once(new_catalog: NewCatalog, site: FakeSite) -> None:
    site.failing_ids["5"] = UpstreamFailure(UpstreamReason.TIMEOUT)
    catalog = new_catalog(site)

    found = await catalog.find_albums(["4", "404", "3", "2", "5", "3"])

    assert found == [album("4", "山", "海"), None, album("3", "海"), None, site.failing_ids["5"], album("3", "海")]
    assert set(site.calls.values()) == {1}


async def test_a_batch_stays_within_the_concurrency_limit(new_catalog: NewCatalog) -> None:
    site = FakeSite(*(album(str(number)) for number in range(1, 81)))
    catalog = new_catalog(site, concurrency=16)

    site.gate.clear()

    batch = asyncio.create_task(catalog.find_albums([str(number) for number in range(1, 81)]))
    await until(lambda: site.concurrent_calls == 16)
    site.gate.set()
    found = await batch

    assert [each and each.id for each in found if not isinstance(each, Exception)] == [*map(str, range(1, 81))]
    assert site.max_concurrent_calls == 16
    assert site.calls.total() == 80


async def test_a_batch_that_redis_has_costs_no_call(new_catalog: NewCatalog, site: FakeSite) -> None:
    await new_catalog(site).find_albums(["1", "3", "4"])
    site.calls.clear()

    with open_stats() as stats:
        found = await new_catalog(site).find_albums(["1", "3", "4"])

    assert [each.id for each in found if isinstance(each, AlbumDetail)] == ["1", "3", "4"]
    assert (site.calls.total(), stats.upstream_calls, stats.cache_hits) == (0, 0, 3)


async def test_an_empty_batch_costs_no_call(new_catalog: NewCatalog, site: FakeSite) -> None:
    assert await new_catalog(site).find_albums([]) == []


async def test_an_album_has_its_page_on_the_site(new_catalog: NewCatalog, site: FakeSite) -> None:
    assert new_catalog(site).album_url("3") == "https://comics.example/album/3/"


# ── lists and the policy ──


async def test_a_lazy_ranking_costs_one_call_and_lists_albums_with_unknown_tags(
    new_catalog: NewCatalog, site: FakeSite
) -> None:
    assert await ranked(new_catalog(site)) == [(1, "1"), (2, "2"), (3, "3"), (4, "4")]
    assert site.calls == {"ranking": 1}


async def test_a_withheld_album_leaves_the_lists_once_its_tags_are_known_and_its_rank_stays_empty(
    new_catalog: NewCatalog, site: FakeSite
) -> None:
    catalog = new_catalog(site)
    assert len(await ranked(catalog)) == 4

    await catalog.find_album("2")

    assert await ranked(catalog) == [(1, "1"), (3, "3"), (4, "4")]


async def test_tags_are_shared_with_other_processes_for_a_month(new_catalog: NewCatalog, site: FakeSite) -> None:
    first = new_catalog(site)
    await first.find_album("2")
    await first.aclose()

    assert await ranked(new_catalog(site)) == [(1, "1"), (3, "3"), (4, "4")]


async def test_a_list_is_filtered_again_by_tags_that_other_processes_stored(
    new_catalog: NewCatalog, site: FakeSite, clock: Clock
) -> None:
    first, second = new_catalog(site), new_catalog(site)
    assert len(await ranked(first)) == 4
    await second.find_album("2")
    await second.aclose()

    clock.move(31)

    assert await ranked(first) == [(1, "1"), (3, "3"), (4, "4")]
    assert site.calls == {"ranking": 1, "album 2": 1}


async def test_a_list_with_tags_is_filtered_by_them(new_catalog: NewCatalog, site: FakeSite) -> None:
    site.lists_tags = True

    assert await ranked(new_catalog(site)) == [(1, "1"), (3, "3"), (4, "4")]
    assert site.calls == {"ranking": 1}


async def test_the_tags_of_one_list_filter_lists_without_tags(new_catalog: NewCatalog, site: FakeSite) -> None:
    catalog = new_catalog(site)
    site.lists_tags = True
    await catalog.ranking(RankingQuery(Period.DAY))
    site.lists_tags = False

    assert await ranked(catalog) == [(1, "1"), (3, "3"), (4, "4")]
    assert site.calls == {"ranking": 2}


async def test_a_list_filtered_again_with_the_same_result_is_the_same_object(
    new_catalog: NewCatalog, site: FakeSite, clock: Clock
) -> None:
    catalog = new_catalog(site)
    first = await catalog.ranking(RankingQuery())
    clock.move(31)

    assert await catalog.ranking(RankingQuery()) is first

    await catalog.find_album("2")
    assert await catalog.ranking(RankingQuery()) is not first


@pytest.mark.parametrize("is_strict", [False, True])
async def test_an_album_with_a_withheld_tag_in_its_title_is_not_listed(
    new_catalog: NewCatalog, is_strict: bool
) -> None:
    site = FakeSite(album("1", title="積雪的山"), album("2", title="[積雪] 遠足"), album("3", title="海"))

    assert await ranked(new_catalog(site, is_strict=is_strict)) == [(3, "3")]


async def test_strict_looks_up_every_listed_album(new_catalog: NewCatalog, site: FakeSite) -> None:
    catalog = new_catalog(site, is_strict=True)

    assert await ranked(catalog) == [(1, "1"), (3, "3"), (4, "4")]
    assert site.calls == {"ranking": 1, "album 1": 1, "album 2": 1, "album 3": 1, "album 4": 1}
    assert await ranked(catalog) == [(1, "1"), (3, "3"), (4, "4")]
    assert site.calls.total() == 5


async def test_strict_withholds_what_can_not_be_looked_up_until_it_can(
    new_catalog: NewCatalog, site: FakeSite, clock: Clock
) -> None:
    site.failing_ids["3"] = UpstreamFailure(UpstreamReason.GARBLED)
    catalog = new_catalog(site, is_strict=True)
    assert await ranked(catalog) == [(1, "1"), (4, "4")]

    site.failing_ids.clear()
    clock.move(31)

    assert await ranked(catalog) == [(1, "1"), (3, "3"), (4, "4")]


async def test_related_albums_are_filtered_by_the_policy(new_catalog: NewCatalog, site: FakeSite) -> None:
    catalog = new_catalog(site)
    before = await catalog.find_album("1")
    assert before is not None
    assert ids(before.related) == ["2", "3"]

    await catalog.find_album("2")

    after = await catalog.find_album("1")
    assert after is not None
    assert ids(after.related) == ["3"]
    assert ids(await catalog.related("1")) == ["3"]


async def test_strict_related_albums_are_looked_up_when_they_are_asked_for(
    new_catalog: NewCatalog, site: FakeSite
) -> None:
    catalog = new_catalog(site, is_strict=True)
    detail = await catalog.find_album("1")
    assert detail is not None
    assert ids(detail.related) == []
    assert site.calls == {"album 1": 1}

    assert ids(await catalog.related("1")) == ["3"]
    assert site.calls == {"album 1": 1, "album 2": 1, "album 3": 1}
    assert await catalog.related("2") == ()


async def test_a_change_of_the_policy_changes_the_version_of_the_catalog(
    new_catalog: NewCatalog, site: FakeSite
) -> None:
    catalog = new_catalog(site)
    before = catalog.version

    await catalog.find_album("3")
    assert catalog.version == before

    await catalog.find_album("2")
    assert catalog.version != before


async def test_an_album_with_new_tags_is_checked_again(new_catalog: NewCatalog, site: FakeSite, clock: Clock) -> None:
    catalog = new_catalog(site)
    assert await catalog.find_album("3") is not None
    assert len(await ranked(catalog)) == 4

    site.albums["3"] = album("3", BLOCKED)
    clock.move(500)

    assert await catalog.find_album("3") is None
    assert await ranked(catalog) == [(1, "1"), (2, "2"), (4, "4")]


# ── searches ──


async def test_a_search_excludes_upstream_what_is_withheld(new_catalog: NewCatalog, site: FakeSite) -> None:
    page = await new_catalog(site).search(SearchQuery("山", exclude=("海",)))

    assert site.searches == [SearchQuery("山", exclude=("海", "蘿莉", "萝莉", "正太", "幼女", BLOCKED))]
    assert ids(page.items) == ["1"]


async def test_titles_of_a_search_cost_one_call(new_catalog: NewCatalog, site: FakeSite) -> None:
    catalog = new_catalog(site)

    await catalog.search(SearchQuery("山"))
    await catalog.search(SearchQuery(" 山 "))

    assert site.calls == {"search": 1}


@pytest.mark.parametrize("lists_tags", [False, True])
async def test_the_unfiltered_list_of_a_search_for_what_is_withheld_is_not_shown(
    new_catalog: NewCatalog, site: FakeSite, lists_tags: bool
) -> None:
    site.lists_tags = lists_tags

    page = await new_catalog(site).search(SearchQuery(BLOCKED))

    assert (page.items, page.total) == ((), 0)


@pytest.mark.parametrize("lists_tags", [False, True])
async def test_the_unfiltered_list_of_an_exclusion_is_filtered(
    new_catalog: NewCatalog, site: FakeSite, lists_tags: bool
) -> None:
    site.lists_tags = lists_tags

    page = await new_catalog(site).search(SearchQuery("海", exclude=("海",)))

    assert (page.items, page.total) == ((), 0)
    assert ("album 3" in site.calls) is not lists_tags


async def test_an_exclusion_keeps_what_can_not_be_looked_up(new_catalog: NewCatalog, site: FakeSite) -> None:
    site.failing_ids["3"] = UpstreamFailure(UpstreamReason.TIMEOUT)

    page = await new_catalog(site).search(SearchQuery("海", exclude=("山",)))

    assert ids(page.items) == ["3"]


async def test_a_number_gives_that_album_alone(new_catalog: NewCatalog, site: FakeSite) -> None:
    catalog = new_catalog(site)

    for text in ("3", "JM3", " 003 "):
        page = await catalog.search(SearchQuery(text))
        assert (ids(page.items), page.page, page.page_count, page.total) == (["3"], 1, 1, 1)
    assert site.calls == {"album 3": 1}


async def test_a_number_has_one_page(new_catalog: NewCatalog, site: FakeSite) -> None:
    page = await new_catalog(site).search(SearchQuery("3", page=2))

    assert (page.items, page.page, page.page_count, page.total) == ((), 2, 1, 1)


async def test_a_withheld_number_gives_nothing(new_catalog: NewCatalog, site: FakeSite) -> None:
    page = await new_catalog(site).search(SearchQuery("2"))

    assert (page.items, page.total) == ((), 0)
    assert site.searches == []


async def test_a_number_that_is_excluded_gives_nothing(new_catalog: NewCatalog, site: FakeSite) -> None:
    page = await new_catalog(site).search(SearchQuery("4", exclude=("海",)))

    assert (page.items, page.total) == ((), 0)


async def test_a_number_that_is_no_album_is_searched_for_without_exclusions(
    new_catalog: NewCatalog, site: FakeSite
) -> None:
    site.albums["2"] = album("2", BLOCKED, title="1999 年的山")
    site.albums["3"] = album("3", "海", title="1999 年的海")

    page = await new_catalog(site).search(SearchQuery("1999"))

    assert site.searches == [SearchQuery("1999")]
    assert ids(page.items) == ["3"]


@pytest.mark.parametrize("page", [0, -1, 10_001])
async def test_pages_out_of_range_are_refused_before_any_call(
    new_catalog: NewCatalog, site: FakeSite, page: int
) -> None:
    catalog = new_catalog(site)

    for call in (
        catalog.search(SearchQuery("山", page=page)),
        catalog.ranking(RankingQuery(page=page)),
        catalog.comments("1", page),
    ):
        with pytest.raises(InvalidInput) as refused:
            await call
        assert refused.value.field == "page"
    assert site.calls.total() == 0


# ── chapters and comments ──


async def test_a_chapter_follows_its_album(new_catalog: NewCatalog, site: FakeSite) -> None:
    shown = ChapterDetail("31", "3", "第1話", 220980, ("00001.webp",))
    site.chapters = {"31": shown, "21": replace(shown, id="21", album_id="2")}
    catalog = new_catalog(site)

    assert await catalog.find_chapter("31") == shown
    assert await catalog.find_chapter("21") is None
    assert await catalog.find_chapters(["21", "31", "404"]) == [None, shown, None]
    with pytest.raises(BlockedByPolicy):
        await catalog.get_chapter("21")
    with pytest.raises(ChapterNotFound):
        await catalog.get_chapter("404")


async def test_comments_follow_their_album(new_catalog: NewCatalog, site: FakeSite) -> None:
    catalog = new_catalog(site)

    assert (await catalog.comments("3", 1)).album_id == "3"
    with pytest.raises(BlockedByPolicy):
        await catalog.comments("2", 1)
    with pytest.raises(AlbumNotFound):
        await catalog.comments("404", 1)
    assert "comments 2" not in site.calls


async def test_a_known_album_is_checked_without_the_site(
    new_catalog: NewCatalog, site: FakeSite, clock: Clock
) -> None:
    first = new_catalog(site)
    await first.find_albums(["2", "3"])
    await first.aclose()
    site.failure = UpstreamFailure(UpstreamReason.UNREACHABLE)
    clock.move(20 * 86400)

    catalog = new_catalog(site)

    await catalog.check_album("3")
    with pytest.raises(BlockedByPolicy):
        await catalog.check_album("2")


async def test_batches_share_their_calls(new_catalog: NewCatalog, site: FakeSite) -> None:
    catalog = new_catalog(site)
    site.gate.clear()

    batches = [asyncio.create_task(catalog.find_albums(["1", "3", "4"])) for _ in range(20)]
    await until(lambda: site.concurrent_calls == 3)
    site.gate.set()
    await asyncio.gather(*batches)

    assert site.calls == {"album 1": 1, "album 3": 1, "album 4": 1}
