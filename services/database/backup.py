"""Backups of the database: every table as lines of JSON, the same from SQLite and from PostgreSQL.

A backup of one kind can be restored into the other, and one of an earlier version into this one.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from zipfile import ZipFile

import orjson
from sqlalchemy import Connection, LargeBinary, MetaData, Table, insert, select, update

from services.database.migrations import REVISIONS, check_references, migrate, revision_of
from services.database.models import AccountsVersionRow, TableBase
from services.errors import ConfigurationError

_MANIFEST = "database.json"
_VERSION_TABLE = "alembic_version"
_ROWS_AT_ONCE = 1000


def write_backup(connection: Connection, archive: ZipFile) -> None:
    """Write all tables, as they are in this transaction, into an archive."""
    archive.writestr(_MANIFEST, orjson.dumps({"revision": revision_of(connection)}))
    for table in TableBase.metadata.sorted_tables:
        with archive.open(f"{table.name}.jsonl", "w") as file:
            for row in connection.execute(select(table)).mappings():
                file.write(orjson.dumps({name: _to_json(value) for name, value in row.items()}) + b"\n")


def read_backup(connection: Connection, archive: ZipFile) -> None:
    """Put the tables of an archive in place of those that are there, and migrate them to this version.

    Raises `ConfigurationError` for an archive that is no backup, or of a newer version.
    """
    revision = _revision_in(archive)
    version = connection.scalar(select(AccountsVersionRow.version)) or 0
    existing = MetaData()
    existing.reflect(connection)
    existing.drop_all(connection)
    migrate(connection, to=revision)
    tables = MetaData()
    tables.reflect(connection)
    for table in reversed(tables.sorted_tables):
        if table.name != _VERSION_TABLE:
            connection.execute(table.delete())
    for table in tables.sorted_tables:
        if table.name != _VERSION_TABLE:
            _insert(connection, table, archive)
    check_references(connection)
    migrate(connection)
    restored = connection.scalar(select(AccountsVersionRow.version)) or 0
    # processes that are running see that everything has changed
    connection.execute(update(AccountsVersionRow).values(version=max(version, restored) + 1))


def _revision_in(archive: ZipFile) -> str:
    try:
        revision = orjson.loads(archive.read(_MANIFEST))["revision"]
    except (KeyError, TypeError, orjson.JSONDecodeError):
        raise ConfigurationError("The file is no backup of jmgraph.") from None
    if revision not in REVISIONS:
        raise ConfigurationError(f"The backup is of a newer version (revision {revision!r}).")
    return str(revision)


def _insert(connection: Connection, table: Table, archive: ZipFile) -> None:
    rows: list[dict[str, object]] = []
    for row in _rows_in(archive, table):
        rows.append(row)
        if len(rows) == _ROWS_AT_ONCE:
            connection.execute(insert(table), rows)
            rows = []
    if rows:
        connection.execute(insert(table), rows)


def _rows_in(archive: ZipFile, table: Table) -> Iterator[dict[str, object]]:
    name = f"{table.name}.jsonl"
    if name not in archive.namelist():
        return
    binary = [column.name for column in table.columns if isinstance(column.type, LargeBinary)]
    with archive.open(name) as lines:
        for line in lines:
            row = orjson.loads(line)
            yield row | {name: b64decode(row[name]) for name in binary if row.get(name) is not None}


def _to_json(value: object) -> object:
    return b64encode(value).decode() if isinstance(value, bytes) else value
