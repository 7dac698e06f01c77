"""The database, on SQLite and on PostgreSQL: migrations, transactions, and what happens while it is away."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select, text, update
from sqlalchemy.exc import IntegrityError

from services.database import REVISIONS, Database, migrate, open_database
from services.database.models import AccountsVersionRow, UserRow
from services.errors import ConfigurationError, StorageUnavailable
from services.settings import Settings
from tests.processes import free_port
from tests.waiting import until

pytestmark = pytest.mark.anyio

VERSIONS = Path(__file__).resolve().parents[2] / "services" / "database" / "migrations" / "versions"

MakeSettings = Callable[..., Settings]


def test_every_revision_is_a_file() -> None:
    names = sorted(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*.py"))

    assert tuple(names) == REVISIONS


@pytest.fixture
def settings(make_settings: MakeSettings, database_url: str) -> Settings:
    """Settings with an empty database, once on SQLite and once on PostgreSQL."""
    made = make_settings(database_url=database_url)
    made.data_dir.mkdir()
    return made


async def test_a_new_database_has_the_owner_of_an_open_server(settings: Settings) -> None:
    async with open_database(settings) as database, database.read() as session:
        users = (await session.scalars(select(UserRow))).all()

    assert [(user.id, user.name, user.password_hash, user.is_admin) for user in users] == [
        ("owner", "owner", None, True)
    ]


async def test_two_starts_at_once_migrate_once(settings: Settings) -> None:

    async def count_users() -> int | None:
        async with open_database(settings) as database, database.read() as session:
            return await session.scalar(select(func.count()).select_from(UserRow))

    assert list(await asyncio.gather(count_users(), count_users())) == [1, 1]


async def test_a_transaction_that_raises_is_undone(settings: Settings) -> None:
    async with open_database(settings) as database:
        with suppress(LookupError):
            async with database.write() as session:
                await session.execute(update(AccountsVersionRow).values(version=7))
                raise LookupError

        async with database.read() as session:
            assert await session.scalar(select(AccountsVersionRow.version)) == 0


async def test_writers_at_once_wait_for_each_other(settings: Settings) -> None:
    async with open_database(settings) as database:

        async def add_one() -> None:
            async with database.write() as session:
                row = await session.get_one(AccountsVersionRow, 1, with_for_update=True)
                row.version += 1

        await asyncio.gather(*(add_one() for _ in range(20)))

        async with database.read() as session:
            assert await session.scalar(select(AccountsVersionRow.version)) == 20


async def test_a_database_of_a_newer_version_is_refused_in_one_line(settings: Settings) -> None:
    async with open_database(settings) as database, database.write() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(ConfigurationError) as refused:
        async with open_database(settings):
            pass

    assert "newer version (revision '9999')" in str(refused.value)
    assert "\n" not in str(refused.value)


async def test_a_database_that_is_away_is_storage_unavailable(make_settings: MakeSettings) -> None:
    settings = make_settings(database_url=f"postgresql://reader@127.0.0.1:{free_port()}/jmgraph")

    async with open_database(settings) as database:
        with pytest.raises(StorageUnavailable) as refused:
            await database.check()

    assert refused.value.extensions == {"code": "STORAGE_UNAVAILABLE", "retryable": True}


def test_a_database_file_that_is_none_names_no_path(make_settings: MakeSettings) -> None:
    settings = make_settings()
    settings.data_dir.mkdir()
    (settings.data_dir / "jmgraph.sqlite3").write_bytes(b"this is no database, but a text of some length" * 40)

    async def check() -> None:
        async with open_database(settings) as database:
            await database.check()

    with pytest.raises(StorageUnavailable) as refused:
        asyncio.run(check())

    assert str(settings.data_dir) not in refused.value.message


def test_the_tables_are_those_of_a_migrated_database(tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from services.database.models import TableBase

    with create_engine(f"sqlite:///{tmp_path / 'migrated.sqlite3'}").begin() as connection:
        migrate(connection)
        differences = compare_metadata(MigrationContext.configure(connection), TableBase.metadata)

    assert differences == []


async def test_an_error_that_nobody_foresaw_has_no_value_of_its_statement(database: Database) -> None:
    row = {"id": "a-secret-id", "name": "a-secret-name", "name_key": "a-secret-name", "created_at_ms": 0}

    with pytest.raises(IntegrityError) as failed:
        async with database.write() as session:
            session.add_all([UserRow(**row, is_admin=False), UserRow(**row | {"id": "another"}, is_admin=False)])

    told = "".join(traceback.format_exception(failed.value))
    assert "INSERT INTO users" in told
    assert "secret" not in told


SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000) SELECT max(i) FROM n"
"""Takes a second, on both."""


async def test_a_transaction_that_is_cancelled_twice_leaves_no_task_behind(database: Database) -> None:
    before = asyncio.all_tasks()
    began = asyncio.Event()

    async def read() -> None:
        async with database.read() as session:
            began.set()
            await session.execute(text(SLOW))

    reading = asyncio.create_task(read())
    await began.wait()
    await asyncio.sleep(0.05)  # until the query runs; cancelled earlier, it would leave nothing either
    for _ in range(2):
        reading.cancel()
        await asyncio.sleep(0)
    with suppress(asyncio.CancelledError, StorageUnavailable):
        await reading

    await until(lambda: asyncio.all_tasks() <= before)
    await database.check()
