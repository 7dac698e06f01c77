"""A database full of rows, of each earlier revision, keeps all of them when it is migrated, and at a later one."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    delete,
    func,
    select,
)
from sqlalchemy.exc import DBAPIError

from services.database import REVISIONS, Database, migrate, open_database, read_backup, revision_of, write_backup
from services.database.models import ReadingRow, TableBase, UserRow
from services.errors import StorageUnavailable
from services.settings import Settings

pytestmark = pytest.mark.anyio

MIGRATIONS = Path(__file__).resolve().parents[2] / "services" / "database" / "migrations"
ROWS = 3
"""In every table, besides what a new database has."""
Rows = dict[str, list[Mapping[str, Any]]]


@pytest.fixture
async def empty(make_settings: Callable[..., Settings], database_url: str) -> AsyncIterator[Database]:
    """A database that is not migrated yet."""
    settings = make_settings(database_url=database_url)
    settings.data_dir.mkdir()
    async with open_database(settings) as database:
        await database.change_schema(_drop_all)
        yield database


def _drop_all(connection: Connection) -> None:
    tables = _tables(connection)
    tables.drop_all(connection)


def _tables(connection: Connection) -> MetaData:
    """The tables as the database has them."""
    tables = MetaData()
    tables.reflect(connection)
    return tables


def fill(connection: Connection) -> Rows:
    """Put rows into every table, whatever its columns are; all rows by table."""
    tables = _tables(connection)
    for table in tables.sorted_tables:
        if table.name not in ("alembic_version", "accounts_version"):
            for number in range(1, ROWS + 1):
                connection.execute(table.insert().values(_row(connection, table, number)))
    return rows(connection)


def _row(connection: Connection, table: Table, number: int) -> dict[str, Any]:
    """A row that is like no other with another number; it refers to the rows of its number in other tables."""
    values = {column.name: _value(column, number) for column in table.columns}
    for constraint in table.foreign_key_constraints:
        target = constraint.referred_table
        keys = [element.column for element in constraint.elements]
        order = list(target.primary_key.columns)
        found = connection.execute(select(*keys).order_by(*order).offset(number - 1).limit(1)).one()
        values |= dict(zip(constraint.column_keys, found, strict=True))
    return values


def _value(column: Column[Any], number: int) -> object:
    if column.nullable and number == ROWS:
        return None
    if isinstance(column.type, Boolean):
        return number % 2 == 0
    if isinstance(column.type, Integer):
        return number
    if isinstance(column.type, LargeBinary):
        return bytes([number]) * 32
    if isinstance(column.type, JSON):
        return [f"標籤 {number}"]
    return f"{number}-{column.name}"[: getattr(column.type, "length", None) or 100]


def rows(connection: Connection) -> Rows:
    """All rows by table, in one order."""
    return {
        table.name: sorted(map(dict, connection.execute(select(table)).mappings()), key=str)
        for table in _tables(connection).sorted_tables
        if table.name != "alembic_version"
    }


def kept(before: Rows, after: Rows) -> Rows:
    """The rows after a migration, without the columns and tables that it has added."""
    return {
        name: sorted(({key: row[key] for key in old[0] if key in row} for row in after[name]), key=str)
        for name, old in before.items()
    }


@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_filled_database_of_each_revision_keeps_every_row(empty: Database, revision: str) -> None:
    def fill_old(connection: Connection) -> Rows:
        migrate(connection, to=revision)
        return fill(connection)

    before = await empty.change_schema(fill_old)
    await empty.open()
    after = await empty.run_in_transaction(rows)

    assert {len(found) for name, found in before.items() if name not in ("users", "accounts_version")} == {ROWS}
    assert kept(before, after) == before
    assert set(after) == {table.name for table in TableBase.metadata.sorted_tables}


# ── revisions to come ──

COPIES_TABLES = """
    for table, column in (("users", "name"), ("albums", "last_error"), ("reading", "device")):
        with op.batch_alter_table(table) as batch:  # SQLite can't change a column: it copies the table
            batch.alter_column(column, type_=sa.String(2000))
    with op.batch_alter_table("users") as batch:
        batch.add_column(sa.Column("note", sa.Text(), nullable=True))
"""
FAILS = """
    op.execute("DELETE FROM reading")
    op.execute("this is no statement")
"""
BREAKS = """
    op.execute("UPDATE tokens SET user_id = 'nobody'")
"""
REVISION = """import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade() -> None:{change}"""


def later_version(folder: Path, change: str) -> ModuleType:
    """The migrations with one more revision, which makes this change."""
    shutil.copytree(MIGRATIONS, folder)
    revision = REVISION.format(head=REVISIONS[-1], change=change)
    (folder / "versions" / "9999_later.py").write_text(revision, "utf-8")
    package = folder / "__init__.py"
    head = f'"{REVISIONS[-1]}")'
    source = package.read_text("utf-8")
    assert head in source
    package.write_text(source.replace(head, f'"{REVISIONS[-1]}", "9999")'), "utf-8")
    spec = importlib.util.spec_from_file_location("later_migrations", package)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
async def filled(empty: Database) -> tuple[Database, Rows]:
    """A database of this version, and its rows."""
    await empty.open()
    return empty, await empty.run_in_transaction(fill)


async def test_a_later_revision_that_copies_tables_keeps_what_refers_to_them(
    filled: tuple[Database, Rows], tmp_path: Path
) -> None:
    database, before = filled

    await database.change_schema(later_version(tmp_path / "later", COPIES_TABLES).migrate)

    after = await database.run_in_transaction(rows)
    assert await database.run_in_transaction(revision_of) == "9999"
    assert kept(before, after) == before
    assert {row["note"] for row in after["users"]} == {None}


async def test_foreign_keys_hold_again_after_a_migration(filled: tuple[Database, Rows], tmp_path: Path) -> None:
    database, before = filled
    await database.change_schema(later_version(tmp_path / "later", COPIES_TABLES).migrate)

    async with database.write() as session:
        await session.execute(delete(UserRow))
    async with database.read() as session:
        assert len(before["reading"]) == ROWS
        assert await session.scalar(select(func.count()).select_from(ReadingRow)) == 0


async def test_a_migration_that_fails_changes_nothing(filled: tuple[Database, Rows], tmp_path: Path) -> None:
    database, before = filled

    with pytest.raises((DBAPIError, StorageUnavailable)):
        await database.change_schema(later_version(tmp_path / "later", FAILS).migrate)

    assert await database.run_in_transaction(rows) == before
    assert await database.run_in_transaction(revision_of) == REVISIONS[-1]


async def test_a_migration_that_breaks_references_changes_nothing(
    filled: tuple[Database, Rows], tmp_path: Path
) -> None:
    database, before = filled

    with pytest.raises((RuntimeError, DBAPIError)):
        await database.change_schema(later_version(tmp_path / "later", BREAKS).migrate)

    assert await database.run_in_transaction(rows) == before


async def test_a_backup_of_a_filled_database_is_restored_whole(filled: tuple[Database, Rows], tmp_path: Path) -> None:
    database, before = filled
    path = tmp_path / "backup.zip"
    with ZipFile(path, "w") as archive:
        await database.run_in_transaction(lambda connection: write_backup(connection, archive))
    async with database.write() as session:
        await session.execute(delete(UserRow))

    with ZipFile(path) as archive:
        await database.change_schema(lambda connection: read_backup(connection, archive))

    after = await database.run_in_transaction(rows)
    assert {name: after[name] for name in after if name != "accounts_version"} == {
        name: before[name] for name in before if name != "accounts_version"
    }
