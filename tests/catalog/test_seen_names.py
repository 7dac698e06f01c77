"""Albums are counted by their tags, for the order in which tags are found."""

from __future__ import annotations

from collections import Counter

import pytest

from services.cache import Cache, RedisTier
from services.catalog import Catalog, ContentPolicy, Freshness
from services.ehtag import TagKind
from services.redis import RedisClient
from tests.fakes import FakeSite, FakeTagIndex, album

pytestmark = pytest.mark.anyio

_FRESHNESS = Freshness(search_s=0, ranking_s=0, album_s=0, comments_s=0)


def _catalog(redis: RedisClient, site: FakeSite, seen_names: Counter[tuple[TagKind, str]]) -> Catalog:
    tier = RedisTier(redis)
    policy = ContentPolicy(FakeTagIndex(), [])
    cache = Cache(tier, stale_s=0.0)
    return Catalog(site, cache, tier, policy, _FRESHNESS, concurrency=2, site_url="", seen_names=seen_names)


async def test_each_album_counts_once(redis_client: RedisClient) -> None:
    seen_names: Counter[tuple[TagKind, str]] = Counter()
    site = FakeSite(album("1", "山", "海"), album("2", "山"))
    catalog = _catalog(redis_client, site, seen_names)

    for id in ("1", "2", "1", "1"):
        await catalog.find_album(id)
    await catalog.aclose()

    assert seen_names == {(TagKind.GENRE, "山"): 2, (TagKind.GENRE, "海"): 1, (TagKind.AUTHOR, "青石"): 2}


async def test_a_new_process_goes_on_counting_where_others_are(redis_client: RedisClient) -> None:
    site = FakeSite(album("1", "山"), album("2", "山"), album("3", "山", "海"))
    first = _catalog(redis_client, site, Counter())
    await first.find_albums(["1", "2"])
    await first.aclose()

    seen_names: Counter[tuple[TagKind, str]] = Counter()
    second = _catalog(redis_client, site, seen_names)
    await second.load_seen_names()
    await second.find_album("3")
    await second.aclose()

    assert seen_names == {(TagKind.GENRE, "山"): 3, (TagKind.GENRE, "海"): 1, (TagKind.AUTHOR, "青石"): 3}
