"""What the tests of the catalog share: a link to Valkey, and a catalog over the fake site."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from services.redis import RedisLink
from tests.fakes import Clock


@pytest.fixture
async def link(redis_url: str) -> AsyncIterator[RedisLink]:
    """A link to the emptied Valkey of this test run."""
    link = RedisLink(redis_url)
    yield link
    await link.aclose()


@pytest.fixture
def clock() -> Clock:
    """A clock that the test moves."""
    return Clock()
