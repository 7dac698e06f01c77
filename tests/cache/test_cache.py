from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest

from services.cache import Cache, CacheKey, ReadObserver, RedisTier
from services.errors import OperationTooCostly, UpstreamFailure, UpstreamReason
from services.observability import Priority, current_stats, open_stats
from services.redis import RedisClient
from services.upstream.records import AlbumDetail
from tests.fakes import Clock, FakeSite, album
from tests.waiting import until

pytestmark = pytest.mark.anyio

ALBUMS = CacheKey("album", AlbumDetail, 100.0)
NewCache = Callable[..., Cache]


@pytest.fixture
def site() -> FakeSite:
    return FakeSite(album("1", "山"), album("2", "海"))


@pytest.fixture
async def new_cache(redis_client: RedisClient, clock: Clock) -> AsyncIterator[NewCache]:
    """Makes caches as separate processes would have them: nothing in common but Valkey and the clock."""
    made: list[Cache] = []

    def make(*, refresh_wait_s: float = 2.0, retry_s: float = 2.0, on_read: ReadObserver = lambda *_: None) -> Cache:
        shared = RedisTier(redis_client, clock=clock)
        made.append(
            Cache(
                shared, stale_s=1000.0, refresh_wait_s=refresh_wait_s, retry_s=retry_s, clock=clock, on_read=on_read
            )
        )
        return made[-1]

    yield make
    for cache in made:
        await cache.aclose()


def fetch(site: FakeSite, id: str) -> Callable[[], Awaitable[AlbumDetail | None]]:
    return lambda: site.album(id)


async def reads_reach(redis_client: RedisClient, count: int) -> None:
    """Return once the caches have read from Valkey so many times."""
    for _ in range(1000):
        if (await redis_client.client.info("commandstats")).get("cmdstat_evalsha", {}).get("calls", 0) >= count:
            return
        await asyncio.sleep(0.005)
    raise TimeoutError("the caches did not read")


async def test_a_hundred_reads_make_one_call(new_cache: NewCache, site: FakeSite) -> None:
    cache = new_cache()

    found = await asyncio.gather(*(cache.read(ALBUMS, "1", fetch(site, "1")) for _ in range(100)))

    assert site.calls == {"album 1": 1}
    assert {entry.value for entry in found} == {album("1", "山")}


async def test_two_processes_make_one_call(new_cache: NewCache, site: FakeSite) -> None:
    first, second = new_cache(), new_cache()
    site.gate.clear()

    reads = [asyncio.create_task(cache.read(ALBUMS, "1", fetch(site, "1"))) for cache in (first, second) * 20]
    await until(lambda: site.calls["album 1"] == 1)
    site.gate.set()
    found = await asyncio.gather(*reads)

    assert site.calls == {"album 1": 1}
    assert {entry.value for entry in found} == {album("1", "山")}


async def test_a_failure_reaches_every_read_in_both_processes(
    new_cache: NewCache, site: FakeSite, redis_client: RedisClient
) -> None:
    first, second = new_cache(), new_cache()
    await redis_client.client.config_resetstat()
    site.failure = UpstreamFailure(UpstreamReason.RATE_LIMITED, retry_after_s=7.0)
    site.gate.clear()

    reads = [asyncio.create_task(cache.read(ALBUMS, "1", fetch(site, "1"))) for cache in (first, second) * 10]
    await until(lambda: site.calls["album 1"] == 1)
    await reads_reach(redis_client, 4)  # one by the holder of the lock, the others by the cache that waits for it
    site.gate.set()
    outcomes = await asyncio.gather(*reads, return_exceptions=True)

    assert site.calls == {"album 1": 1}
    assert all(isinstance(outcome, UpstreamFailure) for outcome in outcomes)
    details = [(each.reason, each.retry_after_s) for each in outcomes if isinstance(each, UpstreamFailure)]
    assert details == [(UpstreamReason.RATE_LIMITED, 7.0)] * 20


async def test_a_failure_is_not_remembered(new_cache: NewCache, site: FakeSite) -> None:
    cache = new_cache()
    site.failure = UpstreamFailure(UpstreamReason.TIMEOUT)
    with pytest.raises(UpstreamFailure):
        await cache.read(ALBUMS, "1", fetch(site, "1"))

    site.failure = None
    entry = await cache.read(ALBUMS, "1", fetch(site, "1"))

    assert entry.value == album("1", "山")


async def test_a_shared_call_continues_when_the_read_that_started_it_is_cancelled(
    new_cache: NewCache, site: FakeSite
) -> None:
    cache = new_cache()
    site.gate.clear()
    cancelled = asyncio.create_task(cache.read(ALBUMS, "1", fetch(site, "1")))
    await until(lambda: site.concurrent_calls == 1)
    waiting = asyncio.create_task(cache.read(ALBUMS, "1", fetch(site, "1")))

    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    site.gate.set()

    assert (await waiting).value == album("1", "山")
    assert site.calls == {"album 1": 1}


async def test_each_read_counts_the_shared_call(new_cache: NewCache, site: FakeSite) -> None:
    cache = new_cache()

    async def cost() -> tuple[int, int]:
        with open_stats() as stats:
            await cache.read(ALBUMS, "1", fetch(site, "1"))
            return stats.upstream_calls, stats.cache_hits

    assert await asyncio.gather(*[cost() for _ in range(3)]) == [(1, 0), (1, 0), (1, 0)]
    assert await cost() == (0, 1)


async def test_an_operation_calls_the_site_no_more_often_than_its_limit(new_cache: NewCache, site: FakeSite) -> None:
    cache = new_cache()

    with open_stats() as stats:
        stats.call_limit = 2
        found = await cache.gather_bounded(
            ALBUMS, [str(number) for number in range(9)], lambda id: cache.read(ALBUMS, id, fetch(site, id)), 4
        )

    assert (stats.upstream_calls, site.calls.total()) == (2, 2)
    assert sum(isinstance(one, OperationTooCostly) for one in found) == 7


async def test_a_shared_call_is_made_while_one_who_waits_for_it_may_make_it(
    new_cache: NewCache, site: FakeSite
) -> None:
    cache = new_cache()

    async def read(call_limit: int) -> AlbumDetail | None:
        with open_stats() as stats:
            stats.call_limit = call_limit
            return (await cache.read(ALBUMS, "1", fetch(site, "1"))).value

    for found in await asyncio.gather(read(0), read(1)):
        assert found == album("1", "山")
    with open_stats() as stats:
        stats.call_limit = 0
        with pytest.raises(OperationTooCostly):
            await cache.read(ALBUMS, "2", fetch(site, "2"))


async def test_an_operation_that_may_call_no_more_gets_what_is_old(
    new_cache: NewCache, site: FakeSite, clock: Clock
) -> None:
    cache = new_cache()
    await cache.read(ALBUMS, "1", fetch(site, "1"))
    clock.move(500)

    with open_stats() as stats:
        stats.call_limit = 0
        entry = await cache.read(ALBUMS, "1", fetch(site, "1"))

    assert (entry.value, stats.stale) == (album("1", "山"), True)
    assert (await cache.read(ALBUMS, "1", fetch(site, "1"))).fetched_at == clock()


async def test_a_read_reports_age_and_remaining_freshness(new_cache: NewCache, site: FakeSite, clock: Clock) -> None:
    cache = new_cache()
    await cache.read(ALBUMS, "1", fetch(site, "1"))
    clock.move(30)

    with open_stats() as stats:
        await cache.read(ALBUMS, "1", fetch(site, "1"))

    assert (stats.age_s, stats.fresh_for_s, stats.stale) == (30.0, 70.0, False)


async def test_a_stale_entry_is_returned_at_once_while_it_is_refreshed(
    new_cache: NewCache, site: FakeSite, clock: Clock
) -> None:
    cache = new_cache()
    await cache.read(ALBUMS, "1", fetch(site, "1"))
    clock.move(150)
    site.albums["1"] = album("1", "山", "雪")
    site.gate.clear()

    with open_stats() as stats:
        entry = await cache.read(ALBUMS, "1", fetch(site, "1"))

    assert entry.value == album("1", "山")
    assert (stats.stale, stats.age_s, stats.fresh_for_s, stats.upstream_calls) == (True, 150.0, 0.0, 0)
    site.gate.set()
    await until(lambda: cache.has_fresh(ALBUMS, "1"))
    assert (await cache.read(ALBUMS, "1", fetch(site, "1"))).value == album("1", "山", "雪")
    assert site.calls == {"album 1": 2}


async def test_a_refresh_in_the_background_has_the_lowest_priority(new_cache: NewCache, clock: Clock) -> None:
    cache = new_cache()
    priorities: list[Priority] = []

    async def ask() -> AlbumDetail:
        priorities.append(current_stats().priority)
        return album("1")

    with open_stats(Priority.DOWNLOAD):
        await cache.read(ALBUMS, "1", ask)
        clock.move(150)
        await cache.read(ALBUMS, "1", ask)
        await until(lambda: cache.has_fresh(ALBUMS, "1"))

    assert priorities == [Priority.DOWNLOAD, Priority.BACKGROUND]


async def test_an_old_entry_waits_for_the_refresh(new_cache: NewCache, site: FakeSite, clock: Clock) -> None:
    cache = new_cache()
    await cache.read(ALBUMS, "1", fetch(site, "1"))
    clock.move(500)
    site.albums["1"] = album("1", "雪")

    with open_stats() as stats:
        entry = await cache.read(ALBUMS, "1", fetch(site, "1"))

    assert entry.value == album("1", "雪")
    assert (stats.stale, stats.age_s, stats.upstream_calls) == (False, 0.0, 1)


async def test_an_old_entry_is_returned_when_the_site_is_slow(
    new_cache: NewCache, site: FakeSite, clock: Clock
) -> None:
    cache = new_cache(refresh_wait_s=0.01)
    await cache.read(ALBUMS, "1", fetch(site, "1"))
    clock.move(500)
    site.gate.clear()

    with open_stats() as stats:
        entry = await cache.read(ALBUMS, "1", fetch(site, "1"))

    assert entry.value == album("1", "山")
    assert stats.stale
    site.gate.set()


@pytest.mark.parametrize("age_s", [150.0, 500.0, 1099.0])
async def test_a_stale_entry_is_returned_when_the_site_fails(
    new_cache: NewCache, site: FakeSite, clock: Clock, age_s: float
) -> None:
    cache = new_cache()
    await cache.read(ALBUMS, "1", fetch(site, "1"))
    clock.move(age_s)
    site.failure = UpstreamFailure(UpstreamReason.UNREACHABLE)

    with open_stats() as stats:
        entry = await cache.read(ALBUMS, "1", fetch(site, "1"))

    assert entry.value == album("1", "山")
    assert (stats.stale, stats.age_s) == (True, age_s)


async def test_an_entry_past_its_stale_time_is_not_returned(
    new_cache: NewCache, site: FakeSite, clock: Clock
) -> None:
    cache = new_cache()
    await cache.read(ALBUMS, "1", fetch(site, "1"))
    clock.move(1100.1)
    site.failure = UpstreamFailure(UpstreamReason.UNREACHABLE)

    with pytest.raises(UpstreamFailure):
        await cache.read(ALBUMS, "1", fetch(site, "1"))


async def test_a_stale_entry_in_redis_is_returned_after_a_restart(
    new_cache: NewCache, site: FakeSite, clock: Clock
) -> None:
    await new_cache().read(ALBUMS, "1", fetch(site, "1"))
    clock.move(500)
    site.failure = UpstreamFailure(UpstreamReason.MAINTENANCE)

    with open_stats() as stats:
        entry = await new_cache().read(ALBUMS, "1", fetch(site, "1"))

    assert entry.value == album("1", "山")
    assert stats.stale


async def test_a_failing_site_is_not_called_again_for_a_moment(
    new_cache: NewCache, site: FakeSite, clock: Clock
) -> None:
    cache = new_cache(retry_s=2.0)
    await cache.read(ALBUMS, "1", fetch(site, "1"))
    clock.move(500)
    site.failure = UpstreamFailure(UpstreamReason.UNREACHABLE)

    for _ in range(10):
        await cache.read(ALBUMS, "1", fetch(site, "1"))
    assert site.calls == {"album 1": 2}

    clock.move(2.1)
    await cache.read(ALBUMS, "1", fetch(site, "1"))
    assert site.calls == {"album 1": 3}


async def test_an_absence_is_kept_for_a_minute(new_cache: NewCache, site: FakeSite, clock: Clock) -> None:
    cache = new_cache()

    for _ in range(3):
        assert (await cache.read(ALBUMS, "404", fetch(site, "404"))).value is None
    assert (await new_cache().read(ALBUMS, "404", fetch(site, "404"))).value is None
    assert site.calls == {"album 404": 1}

    clock.move(61)
    site.albums["404"] = album("404")
    assert (await cache.read(ALBUMS, "404", fetch(site, "404"))).value == album("404")


async def test_a_stale_absence_is_never_returned_when_the_site_fails(
    new_cache: NewCache, site: FakeSite, clock: Clock
) -> None:
    cache = new_cache()
    await cache.read(ALBUMS, "404", fetch(site, "404"))
    clock.move(61)
    site.failure = UpstreamFailure(UpstreamReason.TIMEOUT)

    with pytest.raises(UpstreamFailure):
        await cache.read(ALBUMS, "404", fetch(site, "404"))


async def test_what_another_process_fetched_costs_no_call(new_cache: NewCache, site: FakeSite) -> None:
    await new_cache().read(ALBUMS, "1", fetch(site, "1"))

    with open_stats() as stats:
        entry = await new_cache().read(ALBUMS, "1", fetch(site, "1"))

    assert entry.value == album("1", "山")
    assert (stats.upstream_calls, stats.cache_hits) == (0, 1)


async def test_a_stale_entry_is_not_returned_when_another_process_has_a_fresh_one(
    new_cache: NewCache, site: FakeSite, clock: Clock
) -> None:
    first, second = new_cache(), new_cache()
    await first.read(ALBUMS, "1", fetch(site, "1"))
    clock.move(500)
    await second.read(ALBUMS, "1", fetch(site, "1"))

    with open_stats() as stats:
        await first.read(ALBUMS, "1", fetch(site, "1"))

    assert (stats.stale, stats.upstream_calls) == (False, 0)


async def test_an_entry_that_can_not_be_decoded_is_a_miss(
    new_cache: NewCache, site: FakeSite, redis_client: RedisClient
) -> None:
    far_future = b"%015d" % 99_999_999_999_999
    for data in (b"", b"?", far_future + far_future + b"1" + b"\xc1", b"\xff" * 200):
        await redis_client.client.set(ALBUMS.redis_key("1"), data)
        site.calls.clear()

        entry = await new_cache().read(ALBUMS, "1", fetch(site, "1"))

        assert entry.value == album("1", "山")
        assert site.calls == {"album 1": 1}


async def test_another_record_type_has_another_key() -> None:
    class Before(msgspec.Struct):
        id: str

    class After(msgspec.Struct):
        id: str
        title: str

    assert CacheKey("album", Before, 1.0).redis_key("1") != CacheKey("album", After, 1.0).redis_key("1")


async def test_a_key_that_is_never_fresh_is_fetched_each_time_but_only_once(
    new_cache: NewCache, site: FakeSite, clock: Clock
) -> None:
    never_fresh = CacheKey("album", AlbumDetail, 0.0)
    first, second = new_cache(), new_cache()
    await first.read(never_fresh, "1", fetch(site, "1"))
    clock.move(1)
    site.gate.clear()

    reads = [asyncio.create_task(cache.read(never_fresh, "1", fetch(site, "1"))) for cache in (first, second) * 5]
    await until(lambda: site.calls["album 1"] == 2)
    clock.move(0.5)
    site.gate.set()
    await asyncio.gather(*reads)

    assert site.calls == {"album 1": 2}


async def test_many_keys_are_warmed_in_one_call(new_cache: NewCache, site: FakeSite) -> None:
    await new_cache().read(ALBUMS, "1", fetch(site, "1"))
    cache = new_cache()

    await cache.load(ALBUMS, ["1", "2"])

    assert [cache.has_fresh(ALBUMS, id) for id in ("1", "2")] == [True, False]


async def test_the_observer_gets_the_outcome_of_each_read(new_cache: NewCache, site: FakeSite, clock: Clock) -> None:
    outcomes: list[tuple[str, str]] = []
    cache = new_cache(on_read=lambda kind, outcome: outcomes.append((kind, outcome)))
    await cache.read(ALBUMS, "1", fetch(site, "1"))
    await cache.read(ALBUMS, "1", fetch(site, "1"))
    clock.move(500)
    site.failure = UpstreamFailure(UpstreamReason.GARBLED)
    await cache.read(ALBUMS, "1", fetch(site, "1"))

    assert outcomes == [("album", outcome) for outcome in ("fetched", "memory", "failed", "stale")]
