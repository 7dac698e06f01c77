"""The connection to the database: SQLAlchemy's async engine, opened, migrated, with its errors translated into ours.

SQLite runs in WAL mode with foreign keys checked. A transaction that writes takes SQLite's write lock when it begins:
one that read first could not take it later without failing.
"""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from services.database.migrations import migrate
from services.errors import ConfigurationError, StorageUnavailable
from services.settings import Settings
from services.tasks import cancel_and_wait

log = structlog.get_logger("jmgraph.database")

T = TypeVar("T")

CONNECT_TIMEOUT_S = 5
LOCK_TIMEOUT_S = 10.0
"""A transaction waits this long for another's lock; the longest of ours takes milliseconds."""
_RETRY_S = 1.0
"""Between attempts to open a database that is away."""
_MIGRATION_LOCK = 0x6A6D6772
"""Key of PostgreSQL's advisory lock around migrations."""


class Database:
    """Transactions on the database. Every failure to reach it is `StorageUnavailable`.

    Opened by `open_database`. `last_error` says why it is away, for the health check; None while it is reachable.
    """

    def __init__(self, url: URL) -> None:
        self._is_sqlite = url.get_backend_name() == "sqlite"
        self._path = Path(url.database or "") if self._is_sqlite else None
        self._engine = _engine(url, is_sqlite=self._is_sqlite)
        # SQLite's own lock is polled for; those of this process who wait get it in their order
        self._write_lock = asyncio.Lock() if self._is_sqlite else nullcontext()
        self._is_migrated = False
        self.last_error: str | None = None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A transaction that only reads."""
        async with self._transaction({}) as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A transaction that is committed when the block ends, and undone when it raises."""
        async with self._write_lock, self._transaction({"is_writing": True}) as session:
            yield session
            await session.commit()

    async def run_on_snapshot(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns for a connection that sees all tables as they were at one moment."""
        options = {} if self._is_sqlite else {"isolation_level": "REPEATABLE READ"}
        async with self._transaction(options) as session:
            return await (await session.connection()).run_sync(work)

    async def run_in_transaction(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns for a connection in a transaction that writes; undone when it raises."""
        async with self.write() as session:
            return await (await session.connection()).run_sync(work)

    async def change_schema(self, work: Callable[[Connection], T]) -> T:
        """As `run_in_transaction`, for work that changes tables.

        SQLite changes a table by copying it and dropping the old one, which would delete what refers to its rows:
        foreign keys are not enforced meanwhile.
        """
        with self._translated():
            engine = self._engine.execution_options(is_writing=True, is_changing_schema=True)
            async with engine.connect() as connection:
                try:
                    async with connection.begin():
                        return await connection.run_sync(work)
                finally:
                    await connection.invalidate()  # the next one enforces foreign keys

    async def check(self) -> None:
        """Return when the database answers; raises `StorageUnavailable`."""
        async with self.read() as session:
            await session.execute(text("SELECT 1"))

    async def open(self) -> None:
        """Migrate it where that is due. Raises `StorageUnavailable`, and `ConfigurationError` as `open_database`."""
        async with _file_lock(self._path) if self._path else nullcontext():
            await self.change_schema(_migrate_alone)
        self._is_migrated = True

    async def aclose(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _transaction(self, options: dict[str, Any]) -> AsyncIterator[AsyncSession]:
        if not self._is_migrated:
            raise StorageUnavailable
        engine = self._engine.execution_options(**options)
        with self._translated():
            async with AsyncSession(engine, expire_on_commit=False) as session:
                yield session

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OperationalError, InterfaceError, PoolTimeoutError) as error:
            self._note(error)
            raise StorageUnavailable from None
        except DBAPIError as error:
            # SQLite calls a damaged file a plain DatabaseError
            if not error.connection_invalidated and type(error) is not DatabaseError:
                raise _without_values(error) from None
            self._note(error)
            raise StorageUnavailable from None
        else:
            self.last_error = None

    def _note(self, error: Exception) -> None:
        """Remember and log the kind of an error, which has no values of the statement in it."""
        kind = _kind_of(error)
        if self.last_error is None:
            log.warning("the database of people can't be reached", error=kind)
        self.last_error = kind


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """The database by these settings, migrated to the newest revision.

    One that is away is opened in the background, and again and again: until then its transactions raise
    `StorageUnavailable`. Raises `ConfigurationError` for a bad URL, a folder that can't be written, and a database
    of a newer version.
    """
    database = Database(_url(settings))
    opening: asyncio.Task[None] | None = None
    try:
        try:
            await database.open()
        except StorageUnavailable:
            opening = asyncio.create_task(_open_until_it_works(database.open))
        yield database
    finally:
        if opening is not None:
            await cancel_and_wait(opening)
        await database.aclose()


async def _open_until_it_works(attempt: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            return await attempt()
        except StorageUnavailable:
            await asyncio.sleep(_RETRY_S)
        except ConfigurationError as error:
            log.error("the database of people can't be used", reason=str(error))
            return None


def _migrate_alone(connection: Connection) -> None:
    """Migrate, while no other process does; SQLite's are kept apart by a lock of their own."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
    migrate(connection)


def _kind_of(error: Exception) -> str:
    """The name of the driver's error: "UniqueViolation"."""
    return type(getattr(error, "orig", None) or error).__name__


def _without_values(error: DBAPIError) -> DBAPIError:
    """The same error with the statement alone: the parameters, and the driver's own words, are names and ids of
    people, which no log may have.
    """
    return type(error)(error.statement, None, Exception(_kind_of(error)))


def _url(settings: Settings) -> URL:
    value = settings.database_url.get_secret_value()
    if not value:
        return URL.create("sqlite+aiosqlite", database=str(settings.data_dir / "jmgraph.sqlite3"))
    try:
        return make_url(value).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            "JMGRAPH_DATABASE_URL='**********': an address such as postgresql://user:password@host/name"
        ) from None


def _engine(url: URL, *, is_sqlite: bool) -> AsyncEngine:
    if not is_sqlite:
        return create_async_engine(
            url,
            pool_pre_ping=True,
            pool_timeout=CONNECT_TIMEOUT_S,
            connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "options": f"-c lock_timeout={LOCK_TIMEOUT_S}s"},
        )
    engine = create_async_engine(url, connect_args={"timeout": LOCK_TIMEOUT_S})
    # A task that is cancelled twice would stop the connection's thread while it waits for that thread to close it,
    # for ever: a plain close is waited for in the task itself.
    engine.dialect.do_terminate = engine.dialect.do_close  # type: ignore[method-assign]
    event.listen(engine.sync_engine, "connect", _configure_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # Python's driver begins no transactions by itself: `_begin_sqlite` does
    cursor = connection.cursor()
    for statement in ("PRAGMA journal_mode = WAL", "PRAGMA foreign_keys = ON"):
        cursor.execute(statement)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("is_changing_schema", False):
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")  # which SQLite ignores in a transaction
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("is_writing", False) else "BEGIN")


@asynccontextmanager
async def _file_lock(database: Path) -> AsyncIterator[None]:
    """Held by one process at a time, so that two starts don't migrate together.

    Raises `ConfigurationError` where the folder of the database can't be written.
    """
    try:
        file = database.with_suffix(".lock").open("w")
    except OSError as error:
        raise ConfigurationError(f"the database's folder, JMGRAPH_DATA_DIR: {error.strerror}") from None
    with file:
        await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)
        yield
