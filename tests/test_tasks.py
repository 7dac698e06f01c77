"""Work that must not stop halfway, the cancellation of its caller, and many calls at once."""

from __future__ import annotations

import asyncio

import pytest

from services.tasks import gather_bounded, shield_until_done

pytestmark = pytest.mark.anyio


async def let_run() -> None:
    """Let every task that can run do so."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize("cancellations", [1, 2, 5])
async def test_a_caller_waits_for_the_end_however_often_it_is_cancelled(cancellations: int) -> None:
    work: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    caller = asyncio.create_task(shield_until_done(work))
    await let_run()
    for _ in range(cancellations):
        caller.cancel()
        await let_run()
    assert not caller.done()

    work.set_result(None)
    await let_run()

    assert caller.cancelled()


async def test_a_caller_does_not_wait_for_work_that_has_not_begun() -> None:
    work: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    caller = asyncio.create_task(shield_until_done(work, try_cancel=work.cancel))
    await let_run()
    caller.cancel()
    await let_run()

    assert caller.cancelled()


async def test_many_calls_run_a_few_at_a_time_and_give_their_results_in_order() -> None:
    running, most = 0, 0

    async def double(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001 * (5 - number))
        running -= 1
        return 2 * number

    assert await gather_bounded(double, range(5), limit=2) == [0, 2, 4, 6, 8]
    assert (running, most) == (0, 2)


async def test_when_one_of_many_calls_fails_the_others_have_ended() -> None:
    cancelled: list[int] = []

    async def fail_at_two(number: int) -> None:
        if number == 2:
            raise ValueError("two")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(number)
            raise

    with pytest.raises(ValueError, match="two"):
        await gather_bounded(fail_at_two, range(3), limit=3)

    assert sorted(cancelled) == [0, 1]
