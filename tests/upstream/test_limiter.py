from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.observability import Priority
from services.redis import RedisClient
from services.upstream.limiter import (
    BURST,
    LONGEST_SLOT_WAIT_S,
    TOKENS_LEFT,
    ConcurrencyLimiter,
    HostRateLimited,
    Limiter,
    LocalLimits,
    RedisLimits,
)
from tests.fakes import Clock

pytestmark = pytest.mark.anyio

HOST = "https://a.example"
INTERACTIVE, DOWNLOAD, BACKGROUND = Priority
NewLimiter = Callable[..., Limiter]


@pytest.fixture
async def new_limiter(redis_client: RedisClient) -> AsyncIterator[NewLimiter]:
    """Makes limiters as separate processes would have them: nothing in common but Valkey."""
    made: list[Limiter] = []

    def make(concurrency: int = 4, rate_per_s: float = 1000.0, *, alone: bool = False) -> Limiter:
        made.append(Limiter(concurrency, rate_per_s, None if alone else redis_client))
        return made[-1]

    yield make
    for limiter in made:
        await limiter.aclose()


@pytest.fixture(params=["local", "redis"])
def limits(request: pytest.FixtureRequest, redis_client: RedisClient) -> LocalLimits | RedisLimits:
    return LocalLimits() if request.param == "local" else RedisLimits(redis_client)


async def take(limits: LocalLimits | RedisLimits, rate_per_s: float, priority: Priority, host: str = HOST) -> float:
    """Seconds until a token may be there; 0 when one was taken."""
    if isinstance(limits, LocalLimits):
        return limits.take_token(host, rate_per_s, TOKENS_LEFT[priority])
    return await limits.take_token(host, rate_per_s, TOKENS_LEFT[priority])


async def pause(limits: LocalLimits | RedisLimits, seconds: float) -> None:
    if isinstance(limits, LocalLimits):
        limits.pause_host(HOST, seconds)
    else:
        await limits.pause_host(HOST, seconds)


async def is_paused(limits: LocalLimits | RedisLimits) -> bool:
    try:
        await take(limits, 1000, INTERACTIVE)
    except HostRateLimited:
        return True
    return False


class ConcurrentRequests:
    """Requests that keep their slot until `finish` is called."""

    def __init__(self) -> None:
        self.running: list[str] = []
        self.max_running = 0
        self._finished = asyncio.Event()
        self._changed = asyncio.Condition()
        self.tasks: list[asyncio.Task[None]] = []

    def start(self, limiter: Limiter, name: str, priority: Priority = INTERACTIVE, count: int = 1) -> None:
        self.tasks += [asyncio.create_task(self._run(limiter, name, priority)) for _ in range(count)]

    async def reaches(self, count: int) -> None:
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(lambda: len(self.running) >= count)

    async def finish(self) -> None:
        self._finished.set()
        async with asyncio.timeout(5):
            await asyncio.gather(*self.tasks)

    async def _run(self, limiter: Limiter, name: str, priority: Priority) -> None:
        async with limiter.acquire(HOST, priority, takes_token=False):
            self.running.append(name)
            self.max_running = max(self.max_running, len(self.running))
            async with self._changed:
                self._changed.notify_all()
            await self._finished.wait()
            self.running.remove(name)


@asynccontextmanager
async def taking(limiter: Limiter, priority: Priority = INTERACTIVE) -> AsyncIterator[None]:
    async with asyncio.timeout(5), limiter.acquire(HOST, priority, takes_token=True):
        yield


def wanted(interactive: int = 0, download: int = 0, background: int = 0) -> dict[Priority, int]:
    return {INTERACTIVE: interactive, DOWNLOAD: download, BACKGROUND: background}


class TestLimits:
    """Tokens and pauses, counted by one process or by Redis."""

    async def test_a_host_takes_a_burst_and_then_the_rate(self, limits: LocalLimits | RedisLimits) -> None:
        waits_s = [await take(limits, 0.5, INTERACTIVE) for _ in range(BURST + 1)]

        assert waits_s[:BURST] == [0.0] * BURST
        assert 1.5 < waits_s[BURST] <= 2.0

    async def test_downloads_leave_tokens_to_interactive_requests(self, limits: LocalLimits | RedisLimits) -> None:
        for _ in range(BURST - 10):
            assert await take(limits, 0.01, DOWNLOAD) == 0

        assert await take(limits, 0.01, DOWNLOAD) > 0
        assert await take(limits, 0.01, INTERACTIVE) == 0

    async def test_one_token_is_taken_in_advance_and_no_second_one(self, limits: LocalLimits | RedisLimits) -> None:
        def in_advance() -> Awaitable[float] | float:
            return limits.take_token(HOST, 0.01, -1)

        for _ in range(BURST):
            assert await take(limits, 0.01, INTERACTIVE) == 0
        first, second = in_advance(), in_advance()

        assert (first if isinstance(first, float) else await first) == 0
        assert (second if isinstance(second, float) else await second) > 90

    async def test_hosts_have_tokens_of_their_own(self, limits: LocalLimits | RedisLimits) -> None:
        for _ in range(BURST):
            await take(limits, 0.01, INTERACTIVE)

        assert await take(limits, 0.01, INTERACTIVE, "https://b.example") == 0

    async def test_the_longest_pause_of_a_host_holds(self, limits: LocalLimits | RedisLimits) -> None:
        await pause(limits, 30)
        await pause(limits, 5)

        with pytest.raises(HostRateLimited) as raised:
            await take(limits, 10, INTERACTIVE)
        assert 29 < raised.value.seconds <= 30

    async def test_a_pause_ends(self, limits: LocalLimits | RedisLimits) -> None:
        await pause(limits, 0.02)

        async with asyncio.timeout(5):
            while await is_paused(limits):  # noqa: ASYNC110 (time passes in Redis)
                await asyncio.sleep(0.005)


async def test_a_process_alone_gets_what_it_wants_up_to_the_limit(redis_client: RedisClient) -> None:
    slots, others_wait, paused_s = await RedisLimits(redis_client).lease(16, 0, wanted(interactive=40))

    assert (slots, others_wait, paused_s) == (16, False, {})


async def test_a_report_brings_the_hosts_that_are_paused(redis_client: RedisClient) -> None:
    one, other = RedisLimits(redis_client), RedisLimits(redis_client)
    await one.pause_host(HOST, 30)

    _, _, paused_s = await other.lease(4, 0, wanted(interactive=1))

    assert 29 < paused_s.pop(HOST) <= 30
    assert paused_s == {}


async def test_a_report_names_no_host_whose_pause_has_ended(redis_client: RedisClient) -> None:
    limits = RedisLimits(redis_client)
    await limits.pause_host(HOST, 0.02)
    async with asyncio.timeout(5):
        while await is_paused(limits):  # noqa: ASYNC110 (time passes in Redis)
            await asyncio.sleep(0.005)

    assert (await limits.lease(4, 0, wanted(interactive=1)))[2] == {}


async def test_slots_are_shared_evenly_among_processes(redis_client: RedisClient) -> None:
    one, other = RedisLimits(redis_client), RedisLimits(redis_client)

    await one.lease(16, 0, wanted(download=100))
    await other.lease(16, 0, wanted(download=100))
    first = await one.lease(16, 8, wanted(download=100))
    second = await other.lease(16, 0, wanted(download=100))

    assert (first[0], second[0]) == (8, 8)
    assert first[1]


async def test_interactive_requests_get_slots_before_any_download(redis_client: RedisClient) -> None:
    worker, api = RedisLimits(redis_client), RedisLimits(redis_client)

    await worker.lease(16, 16, wanted(download=60))
    await api.lease(16, 0, wanted(interactive=5))

    assert (await worker.lease(16, 16, wanted(download=60)))[0] == 11
    assert (await api.lease(16, 0, wanted(interactive=5)))[0] == 0  # the worker's 16 are still under way
    assert (await worker.lease(16, 11, wanted(download=60)))[0] == 11
    assert (await api.lease(16, 0, wanted(interactive=5)))[0] == 5


async def test_a_part_of_the_slots_is_kept_for_each_lower_priority(redis_client: RedisClient) -> None:
    api, worker, checker = RedisLimits(redis_client), RedisLimits(redis_client), RedisLimits(redis_client)

    await api.lease(16, 16, wanted(interactive=100))
    await worker.lease(16, 0, wanted(download=60))
    await checker.lease(16, 0, wanted(background=1))

    assert (await api.lease(16, 13, wanted(interactive=100)))[0] == 13
    assert (await worker.lease(16, 0, wanted(download=60)))[0] == 2
    assert (await checker.lease(16, 0, wanted(background=1)))[0] == 1


async def test_of_too_few_slots_to_share_each_priority_gets_all_in_its_turn(redis_client: RedisClient) -> None:
    api, worker, checker = RedisLimits(redis_client), RedisLimits(redis_client), RedisLimits(redis_client)
    had: set[str] = set()

    async with asyncio.timeout(20):
        while len(had) < 3:
            for name, store, wants in (
                ("api", api, wanted(interactive=9)),
                ("worker", worker, wanted(download=9)),
                ("checker", checker, wanted(background=9)),
            ):
                if (await store.lease(1, 0, wants))[0]:
                    had.add(name)
            await asyncio.sleep(0.02)


async def test_slots_still_in_use_elsewhere_are_not_given_away(redis_client: RedisClient) -> None:
    one, other = RedisLimits(redis_client), RedisLimits(redis_client)

    await one.lease(4, 4, wanted(download=4))

    assert (await other.lease(4, 0, wanted(interactive=4)))[0] == 0


async def test_one_slot_is_given_to_each_process_in_turn(redis_client: RedisClient) -> None:
    one, other = RedisLimits(redis_client), RedisLimits(redis_client)
    had: set[str] = set()

    async with asyncio.timeout(5):
        while len(had) < 2:
            for name, store, count in (("one", one, 1), ("other", other, 50)):
                if (await store.lease(1, 0, wanted(interactive=count)))[0]:
                    had.add(name)
            await asyncio.sleep(0.02)


async def reports(redis_client: RedisClient) -> int:
    """Number of reports of limiters to Valkey."""
    stats = await redis_client.client.info("commandstats")
    return int(stats.get("cmdstat_evalsha", {}).get("calls", 0))


async def test_no_more_than_the_limit_are_under_way_over_all_processes(
    redis_client: RedisClient, new_limiter: NewLimiter
) -> None:
    requests = ConcurrentRequests()
    limiters = [new_limiter(4) for _ in range(3)]

    for limiter in limiters:
        requests.start(limiter, "request", count=10)
    await requests.reaches(4)
    enough = await reports(redis_client) + 3 * len(limiters)
    async with asyncio.timeout(5):
        while await reports(redis_client) < enough:  # noqa: ASYNC110 (Redis has no event for it)
            await asyncio.sleep(0.01)

    assert requests.max_running == 4
    await requests.finish()


async def test_an_interactive_request_is_served_before_a_download_in_one_process() -> None:
    slots = ConcurrencyLimiter(1)
    order: list[str] = []

    async def acquire_in_order(name: str, priority: Priority) -> None:
        await slots.acquire(priority)
        order.append(name)
        slots.release(priority)

    await slots.acquire(INTERACTIVE)
    waiting = [
        asyncio.create_task(acquire_in_order(name, priority))
        for name, priority in (
            ("background", BACKGROUND),
            ("first", DOWNLOAD),
            ("second", DOWNLOAD),
            ("interactive", INTERACTIVE),
        )
    ]
    await asyncio.sleep(0)
    slots.release(INTERACTIVE)
    await asyncio.gather(*waiting)

    assert order == ["interactive", "first", "second", "background"]


async def test_a_priority_that_has_waited_for_long_comes_first_once(clock: Clock) -> None:
    slots = ConcurrencyLimiter(1, clock=clock)
    order: list[str] = []

    async def acquire_in_order(name: str, priority: Priority) -> None:
        await slots.acquire(priority)
        order.append(name)
        clock.move(LONGEST_SLOT_WAIT_S / 2)
        slots.release(priority)

    await slots.acquire(INTERACTIVE)
    waiting = [
        asyncio.create_task(acquire_in_order(name, priority))
        for name, priority in (
            ("page 1", DOWNLOAD),
            ("page 2", DOWNLOAD),
            *((f"person {number}", INTERACTIVE) for number in range(1, 5)),
        )
    ]
    await asyncio.sleep(0)
    slots.release(INTERACTIVE)
    await asyncio.gather(*waiting)

    assert order == ["person 1", "person 2", "page 1", "person 3", "page 2", "person 4"]


@pytest.mark.parametrize("together", [True, False])
async def test_a_download_advances_by_a_page_a_second_while_people_fill_every_slot(
    new_limiter: NewLimiter, together: bool
) -> None:
    """In one process with the people's requests, and in another."""
    api = new_limiter(4, rate_per_s=20.0)
    worker = api if together else new_limiter(4, rate_per_s=20.0)

    async def person(*, takes_token: bool) -> None:
        while True:
            async with api.acquire(HOST, INTERACTIVE, takes_token=takes_token):
                await asyncio.sleep(0.05)

    async with asyncio.timeout(5):
        await asyncio.gather(*(one(api, INTERACTIVE) for _ in range(BURST)))
    people = [asyncio.create_task(person(takes_token=number % 2 == 0)) for number in range(32)]
    began_at = time.monotonic()
    async with asyncio.timeout(20):
        for _ in range(4):
            await one(worker, DOWNLOAD, takes_token=False)
        took_s = time.monotonic() - began_at
        await one(worker, DOWNLOAD)  # as a list of pages takes a token
    for task in people:
        task.cancel()
    await asyncio.gather(*people, return_exceptions=True)

    assert took_s < 4.0


async def one(limiter: Limiter, priority: Priority, *, takes_token: bool = True) -> None:
    """One request."""
    async with limiter.acquire(HOST, priority, takes_token=takes_token):
        pass


async def test_an_interactive_request_gets_a_slot_while_another_process_downloads(new_limiter: NewLimiter) -> None:
    worker, api = new_limiter(2), new_limiter(2)
    is_done = False

    async def download() -> None:
        while not is_done:
            async with worker.acquire(HOST, DOWNLOAD, takes_token=False):
                await asyncio.sleep(0.02)

    downloads = [asyncio.create_task(download()) for _ in range(8)]
    async with asyncio.timeout(5):
        async with worker.acquire(HOST, DOWNLOAD, takes_token=False):
            pass
        began_at = time.monotonic()
        async with api.acquire(HOST, INTERACTIVE, takes_token=False):
            waited_s = time.monotonic() - began_at
    is_done = True
    await asyncio.gather(*downloads)

    assert waited_s < 1.0


async def wanted_interactive(redis_client: RedisClient) -> int:
    """Interactive requests, running or waiting, as limiters last reported to Valkey."""
    rows = await redis_client.client.hvals("jmgraph:limiter:members")  # type: ignore[misc]
    return sum(int(row.split()[2]) for row in rows)


async def test_a_cancelled_wait_leaks_no_slot(redis_client: RedisClient, new_limiter: NewLimiter) -> None:
    limiter, requests = new_limiter(1), ConcurrentRequests()
    requests.start(limiter, "holder")
    await requests.reaches(1)

    waiting = asyncio.create_task(taking(limiter).__aenter__())
    async with asyncio.timeout(5):
        while await wanted_interactive(redis_client) < 2:  # noqa: ASYNC110 (Redis has no event for it)
            await asyncio.sleep(0.01)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await requests.finish()

    assert waiting.cancelled()
    async with taking(limiter):
        pass


async def test_a_closed_limiter_gives_its_slots_back_at_once(
    redis_client: RedisClient, new_limiter: NewLimiter
) -> None:
    gone = Limiter(1, 1000.0, redis_client)
    async with gone.acquire(HOST, INTERACTIVE, takes_token=False):
        await gone.aclose()

    began_at = time.monotonic()
    async with taking(new_limiter(1)):
        pass

    assert time.monotonic() - began_at < 1.0


async def test_a_killed_process_leaks_no_slot(redis_url: str, new_limiter: NewLimiter) -> None:
    program = (
        "import asyncio, sys\n"
        "from services.upstream.limiter import Limiter\n"
        "from services.redis import RedisClient\n"
        "from services.observability import Priority\n"
        "async def main():\n"
        "    limiter = Limiter(1, 1000.0, RedisClient(sys.argv[1]))\n"
        "    async with limiter.acquire('https://a.example', Priority.INTERACTIVE, takes_token=False):\n"
        "        print('holding', flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, redis_url, stdout=asyncio.subprocess.PIPE, cwd=Path.cwd()
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"holding\n"
    holder.send_signal(signal.SIGKILL)
    await holder.wait()

    async with asyncio.timeout(10), new_limiter(1).acquire(HOST, INTERACTIVE, takes_token=False):
        pass


async def test_a_paused_host_is_not_asked_by_any_process(new_limiter: NewLimiter) -> None:
    one, other = new_limiter(), new_limiter()

    await one.pause_host(HOST, 30)

    for limiter in (one, other):
        with pytest.raises(HostRateLimited) as raised:
            async with taking(limiter):
                pass
        assert 28 < raised.value.seconds <= 30


async def test_requests_that_wait_for_a_token_are_refused_by_a_pause(new_limiter: NewLimiter) -> None:
    limiter = new_limiter(200, rate_per_s=0.5)
    for _ in range(BURST):
        async with taking(limiter):
            pass

    async def late() -> None:
        async with taking(limiter):
            pass

    waiting = [asyncio.create_task(late()) for _ in range(3)]
    await asyncio.sleep(0.02)
    await limiter.pause_host(HOST, 20)
    ended = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(one) for one in ended] == [HostRateLimited] * 3


@pytest.mark.parametrize("alone", [True, False])
async def test_the_rate_holds_after_the_burst(new_limiter: NewLimiter, alone: bool) -> None:
    limiter = new_limiter(200, rate_per_s=50.0, alone=alone)

    async def one() -> None:
        async with taking(limiter):
            pass

    began_at = time.monotonic()
    await asyncio.gather(*(one() for _ in range(BURST + 20)))
    took_s = time.monotonic() - began_at

    assert took_s >= 0.38


async def test_an_interactive_request_takes_the_next_token_before_downloads(new_limiter: NewLimiter) -> None:
    limiter = new_limiter(200, rate_per_s=40.0)
    order: list[str] = []

    async def one(name: str, priority: Priority) -> None:
        async with taking(limiter, priority):
            order.append(name)

    await asyncio.gather(*(one("early", INTERACTIVE) for _ in range(BURST)))
    downloads = [asyncio.create_task(one("download", DOWNLOAD)) for _ in range(3)]
    await asyncio.sleep(0)
    await one("interactive", INTERACTIVE)
    await asyncio.gather(*downloads)

    assert order[BURST:] == ["interactive", "download", "download", "download"]


async def test_without_redis_a_process_limits_itself(new_limiter: NewLimiter) -> None:
    requests = ConcurrentRequests()
    requests.start(new_limiter(3, alone=True), "request", count=10)
    await requests.reaches(3)
    await asyncio.sleep(0)

    assert requests.max_running == 3
    await requests.finish()


async def test_without_redis_only_the_limits_over_processes_are_lost() -> None:
    dead = RedisClient("redis://127.0.0.1:1/0")
    limiter, requests = Limiter(3, 1000.0, dead), ConcurrentRequests()

    requests.start(limiter, "request", count=10)
    await requests.reaches(3)
    assert requests.max_running == 3
    await requests.finish()
    async with taking(limiter):
        pass

    await limiter.aclose()
    await dead.aclose()


async def test_an_idle_limiter_holds_nothing_in_redis(redis_client: RedisClient, new_limiter: NewLimiter) -> None:
    async with taking(new_limiter()):
        pass

    async with asyncio.timeout(2):
        while await redis_client.client.exists("jmgraph:limiter:members"):  # noqa: ASYNC110 (Redis has no event for it)
            await asyncio.sleep(0.01)


async def test_many_pictures_cost_few_round_trips(redis_client: RedisClient, new_limiter: NewLimiter) -> None:
    limiter = new_limiter(8)

    async def picture() -> None:
        async with limiter.acquire(HOST, DOWNLOAD, takes_token=False):
            await asyncio.sleep(0.001)

    await redis_client.client.config_resetstat()
    began_at = time.monotonic()
    await asyncio.gather(*(picture() for _ in range(800)))
    took_s = time.monotonic() - began_at

    assert await reports(redis_client) < 10 + 30 * took_s
