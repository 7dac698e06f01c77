"""Work that must not stop halfway, and the cancellation of its caller."""

from __future__ import annotations

import asyncio

import pytest

from services.tasks import shield_until_done

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
