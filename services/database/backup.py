"""Backups of the database: every table as lines of JSON, the same from SQLite and from PostgreSQL.

A backup of one kind can be restored into the other, and one of an earlier version into this one.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Collection, Iterator
from itertools import islice
from zipfile import ZipFile

import orjson
from sqlalchemy import JSON, Connection, LargeBinary, MetaData, Table, insert, select, update
from sqlalchemy.exc import DataError, IntegrityError

from services.database.migrations import REVISIONS, check_references, migrate, revision_of
from services.database.models import AccountsVersionRow, TableBase
from services.errors import ConfigurationError

_MANIFEST = "database.json"
_ENDING = ".jsonl"
_VERSION_TABLE = "alembic_version"
_ROWS_AT_ONCE = 1000


def write_backup(connection: Connection, archive: ZipFile) -> None:
    """Write all tables, as they are in this transaction, into an archive."""
    archive.writestr(_MANIFEST, orjson.dumps({"revision": revision_of(connection)}))
    for table in TableBase.metadata.sorted_tables:
        with archive.open(_file_of(table), "w") as file:
            for row in connection.execute(select(table)).mappings():
                file.write(orjson.dumps({name: _to_json(value) for name, value in row.items()}) + b"\n")


def read_backup(connection: Connection, archive: ZipFile) -> None:
    """Put the tables of an archive in place of those that are there, and migrate them to this version.

    Raises `ConfigurationError` for an archive that is no backup, is damaged, or of a newer version.
    """
    revision = _revision_in(archive)
    version = _accounts_version(connection)
    _drop_tables(connection)
    migrate(connection, to=revision)
    try:
        _fill_tables(connection, archive)
        check_references(connection)
    except (ValueError, TypeError, AttributeError, RuntimeError, DataError, IntegrityError):
        raise ConfigurationError("The backup is damaged.") from None
    migrate(connection)
    # processes that are running see that everything has changed
    newer = max(version, _accounts_version(connection)) + 1
    connection.execute(update(AccountsVersionRow).values(version=newer))


def _revision_in(archive: ZipFile) -> str:
    try:
        revision = orjson.loads(archive.read(_MANIFEST))["revision"]
    except (KeyError, TypeError, orjson.JSONDecodeError):
        raise ConfigurationError("The file is no backup of jmgraph.") from None
    if revision not in REVISIONS:
        raise ConfigurationError(f"The backup is of a newer version (revision {revision!r}).")
    return str(revision)


def _accounts_version(connection: Connection) -> int:
    return connection.scalar(select(AccountsVersionRow.version)) or 0


def _drop_tables(connection: Connection) -> None:
    """Drop our tables; a database may have others."""
    ours = {*TableBase.metadata.tables, _VERSION_TABLE}
    _reflected(connection, ours).drop_all(connection)


def _fill_tables(connection: Connection, archive: ZipFile) -> None:
    """Put the rows of the archive in place of those that migrations have made."""
    names = {name.removesuffix(_ENDING) for name in archive.namelist() if name.endswith(_ENDING)}
    tables = _reflected(connection, names).sorted_tables
    for table in reversed(tables):
        connection.execute(table.delete())
    for table in tables:
        _insert(connection, table, archive)


def _reflected(connection: Connection, names: Collection[str]) -> MetaData:
    """The tables of these names that are there, as they are."""
    tables = MetaData()
    tables.reflect(connection, only=lambda name, _: name in names)
    for table in tables.tables.values():
        for column in table.columns:
            if isinstance(column.type, JSON):
                column.type.none_as_null = True
    return tables


def _insert(connection: Connection, table: Table, archive: ZipFile) -> None:
    rows = _rows_in(archive, table)
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        connection.execute(insert(table), some)


def _rows_in(archive: ZipFile, table: Table) -> Iterator[dict[str, object]]:
    names = set(table.columns.keys())
    binary = [column.name for column in table.columns if isinstance(column.type, LargeBinary)]
    with archive.open(_file_of(table)) as lines:
        for line in lines:
            row = orjson.loads(line)
            if row.keys() != names:
                raise ValueError("not a row of this table")
            yield row | {name: b64decode(row[name]) for name in binary if row.get(name) is not None}


def _file_of(table: Table) -> str:
    return table.name + _ENDING


def _to_json(value: object) -> object:
    return b64encode(value).decode() if isinstance(value, bytes) else value
