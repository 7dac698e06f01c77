"""Migrations of the database, by Alembic; they go forward only. A revision is one file in `versions`."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from services.errors import ConfigurationError

REVISIONS = ("0001", "0002", "0003")
"""All revisions, oldest first. A test compares this with the files."""


def migrate(connection: Connection, to: str = REVISIONS[-1]) -> None:
    """Bring the database to a revision; the caller holds the lock of migrations and commits.

    Raises `ConfigurationError` for a database of a newer version of this program.
    """
    revision = revision_of(connection)
    if revision == to:
        return
    if revision is not None and revision not in REVISIONS:
        raise ConfigurationError(
            f"JMGRAPH_DATABASE_URL: the database is of a newer version (revision {revision!r}); "
            f"this one knows {REVISIONS[-1]!r} and older"
        )
    from alembic import command  # late: most starts have nothing to migrate
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
    check_references(connection)


def check_references(connection: Connection) -> None:
    """Raise `RuntimeError` unless each foreign key refers to a row: SQLite enforces none while tables are changed."""
    if connection.dialect.name == "sqlite":
        broken = {row[0] for row in connection.exec_driver_sql("PRAGMA foreign_key_check")}
        if broken:
            raise RuntimeError(f"rows without what they refer to, in: {', '.join(sorted(broken))}")


def revision_of(connection: Connection) -> str | None:
    """The revision of a database; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found
