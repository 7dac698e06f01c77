"""Guessing passwords: how many may be wrong, for a name and from an address."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable

import pytest

from services.database import Database, open_database
from services.errors import InvalidCredentials, LoginsLimited
from services.people import People, open_people
from services.redis import RedisClient
from services.settings import Settings
from tests.persons import PASSWORD
from tests.processes import free_port

pytestmark = pytest.mark.anyio

HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture(params=["with Redis", "without Redis"])
async def either(
    request: pytest.FixtureRequest, make_settings: Callable[..., Settings], redis_client: RedisClient
) -> AsyncIterator[People]:
    """The services of people, with a Redis and with one that is away."""
    settings = make_settings()
    settings.data_dir.mkdir()
    away = RedisClient(f"redis://127.0.0.1:{free_port()}/0")
    redis = redis_client if request.param == "with Redis" else away
    async with open_database(settings) as database, open_people(settings, database, redis) as people:
        yield people
    await away.aclose()


async def _outcome(people: People, name: str, password: str, address: str) -> str:
    try:
        return (await people.logins.verify(name, password, address)).name
    except (InvalidCredentials, LoginsLimited) as error:
        return type(error).__name__


async def _guess(people: People, name: str, address: str, times: int) -> list[str]:
    return [await _outcome(people, name, f"wrong-horse-{number}", address) for number in range(times)]


async def test_after_five_wrong_passwords_a_name_waits_wherever_it_is_tried(either: People) -> None:
    await either.accounts.create("alice", PASSWORD)
    await either.accounts.create("bob", PASSWORD)

    guesses = await _guess(either, "Alice", HERE, 3) + await _guess(either, "ＡＬＩＣＥ", ELSEWHERE, 3)

    assert guesses == ["InvalidCredentials"] * 5 + ["LoginsLimited"]
    assert await _outcome(either, "alice", PASSWORD, "192.0.2.3") == "LoginsLimited"
    assert await _outcome(either, "bob", PASSWORD, HERE) == "bob"


async def test_after_five_wrong_passwords_an_address_waits_whatever_name_it_tries(either: People) -> None:
    await either.accounts.create("alice", PASSWORD)

    guesses = [await _outcome(either, f"name{number}", PASSWORD, HERE) for number in range(6)]

    assert guesses == ["InvalidCredentials"] * 5 + ["LoginsLimited"]
    assert await _outcome(either, "alice", PASSWORD, HERE) == "LoginsLimited"
    assert await _outcome(either, "alice", PASSWORD, ELSEWHERE) == "alice"


async def test_guesses_at_once_are_counted_as_those_one_after_the_other(either: People) -> None:
    await either.accounts.create("alice", PASSWORD)

    outcomes = await asyncio.gather(*(_outcome(either, "alice", f"wrong-{number}", HERE) for number in range(12)))

    assert Counter(outcomes) == {"InvalidCredentials": 5, "LoginsLimited": 7}


async def test_right_passwords_at_once_are_all_right(either: People) -> None:
    await either.accounts.create("alice", PASSWORD)

    viewers = await asyncio.gather(*(either.logins.verify_again("alice", PASSWORD, HERE) for _ in range(12)))

    assert {viewer.user.name for viewer in viewers} == {"alice"}


async def test_right_passwords_at_once_over_two_processes_are_all_right(
    people: People, settings: Settings, database: Database, redis_client: RedisClient
) -> None:
    await people.accounts.create("alice", PASSWORD)
    async with open_people(settings, database, redis_client) as other:
        attempts = (_outcome(each, "alice", PASSWORD, HERE) for each in (people, other) for _ in range(10))
        outcomes = await asyncio.gather(*attempts)

    assert outcomes == ["alice"] * 20


async def test_a_refused_attempt_says_when_to_come_back(either: People) -> None:
    await either.accounts.create("alice", PASSWORD)
    await _guess(either, "alice", HERE, 5)

    with pytest.raises(LoginsLimited) as refused:
        await either.logins.verify("alice", PASSWORD, HERE)

    assert refused.value.retry_after is not None
    assert 280 < refused.value.retry_after <= 300
    assert refused.value.retryable is True


async def test_all_processes_count_together(
    people: People, settings: Settings, database: Database, redis_client: RedisClient
) -> None:
    await people.accounts.create("alice", PASSWORD)
    async with open_people(settings, database, redis_client) as other:
        guesses = await _guess(people, "alice", HERE, 3) + await _guess(other, "alice", HERE, 3)

    assert guesses == ["InvalidCredentials"] * 5 + ["LoginsLimited"]


async def test_a_password_that_was_changed_is_not_remembered(people: People) -> None:
    alice = await people.accounts.create("alice", PASSWORD)
    await people.logins.verify_again("alice", PASSWORD, HERE)

    await people.accounts.change_password(alice.id, PASSWORD, "another-horse")

    with pytest.raises(InvalidCredentials):
        await people.logins.verify_again("alice", PASSWORD, HERE)


async def test_a_name_that_does_not_exist_costs_as_much_as_one_that_does(people: People) -> None:
    await people.accounts.create("alice", PASSWORD)

    async def cost_of(name: str) -> float:
        began = time.process_time()
        for _ in range(4):
            with pytest.raises(InvalidCredentials):
                await people.accounts.verify(name, "wrong-horse")
        return time.process_time() - began

    await cost_of("alice")  # the first one makes the hash that unknown names are compared with

    assert 0.5 < await cost_of("nobody") / await cost_of("alice") < 2


async def test_redis_keeps_no_name_and_no_address(people: People, redis_client: RedisClient) -> None:
    await people.accounts.create("alice", PASSWORD)
    await _guess(people, "alice", HERE, 2)

    keys = b" ".join(await redis_client.client.keys("jmgraph:login:*"))

    assert keys.count(b"jmgraph:login:") == 2
    assert b"alice" not in keys
    assert HERE.encode() not in keys
