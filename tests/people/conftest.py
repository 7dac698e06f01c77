"""Fixtures of the services of people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from services.database import Database, open_database
from services.people import People, open_people
from services.redis import RedisClient
from services.settings import Settings
from tests.databases import place_migrated_database


@pytest.fixture
def settings(make_settings: Callable[..., Settings], database_url: str) -> Settings:
    """Settings with an empty database, once on SQLite and once on PostgreSQL."""
    made = make_settings(database_url=database_url)
    made.data_dir.mkdir()
    return made


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """An empty, migrated database."""
    await place_migrated_database(settings)
    async with open_database(settings) as database:
        yield database


@pytest.fixture
async def people(settings: Settings, database: Database, redis_client: RedisClient) -> AsyncIterator[People]:
    """The services of people on that database."""
    async with open_people(settings, database, redis_client) as people:
        yield people
