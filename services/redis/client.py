"""The border to Redis (or Valkey): one client a process; where Redis gives no answer, `RedisUnavailable`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NoReturn

import redis.asyncio
import redis.exceptions
import structlog
from redis.asyncio.client import Pipeline

from services.errors import ConfigurationError
from services.redis.embedded import embedded_valkey, join_valkey
from services.settings import Settings

log = structlog.get_logger("jmgraph.redis")

CONNECT_TIMEOUT_S = 2.0
COMMAND_TIMEOUT_S = 5.0
"""A script takes milliseconds; what takes longer than this is no answer."""
REST_S = 1.0
"""After a timeout every call fails at once for this long: a silent Redis slows a reader once, not once a call."""
MAX_CONNECTIONS = 64
"""Per process; further callers wait for a free one."""

_REFUSALS = ("LOADING", "MISCONF", "MASTERDOWN", "READONLY", "OOM", "NOREPLICAS", "CLUSTERDOWN")
"""Answers of a server that is there but can't do its work now."""


class RedisUnavailable(Exception):
    """Redis did not answer, or can't do its work now; the same call may succeed later."""


class RedisClient:
    """The process's way to Redis. Answers are bytes."""

    def __init__(self, url: str, *, command_timeout_s: float = COMMAND_TIMEOUT_S) -> None:
        """`url` is `redis://`, `rediss://` or `unix://`, with its password; no connection is made yet."""
        self._url = url
        self._command_timeout_s = command_timeout_s
        self.client: redis.asyncio.Redis = _Client(self.new_pool(MAX_CONNECTIONS), command_timeout_s)

    def __repr__(self) -> str:
        return "RedisClient(**********)"

    @property
    def url(self) -> str:
        """The server's address with its password: for the environment of another process, never for a log."""
        return self._url

    @property
    def database(self) -> int:
        """Number of the database in use."""
        return int(self.client.connection_pool.connection_kwargs.get("db") or 0)

    def new_pool(self, max_connections: int) -> redis.asyncio.ConnectionPool:
        """A further pool to the same server; its holder disconnects it, and puts a timeout around what it asks.

        redis-py's own `socket_timeout` goes by `asyncio.wait_for`, which in Python 3.11 loses a cancellation that
        comes together with the answer (https://github.com/python/cpython/issues/86296).
        """
        return redis.asyncio.BlockingConnectionPool.from_url(
            self._url,
            max_connections=max_connections,
            timeout=self._command_timeout_s,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            **({} if self._url.startswith("unix:") else {"socket_keepalive": True}),
        )

    async def ping(self) -> float | None:
        """Milliseconds to an answer and back; None while there is none."""
        began = time.perf_counter()
        try:
            await self.client.ping()
        except RedisUnavailable:
            return None
        return (time.perf_counter() - began) * 1000

    async def aclose(self) -> None:
        """Let every connection of `client` go."""
        await self.client.connection_pool.disconnect()


@contextmanager
def translate_redis_errors() -> Iterator[None]:
    """Turn what redis-py raises when Redis is away into `RedisUnavailable`; its other errors are bugs and pass."""
    try:
        yield
    except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, OSError) as error:
        _unavailable(error)
    except redis.exceptions.ResponseError as error:
        if not _is_refusal(error):
            raise
        _unavailable(error)


def _unavailable(error: Exception) -> NoReturn:
    raise RedisUnavailable(f"{type(error).__name__}: Redis can't be reached or can't work now") from error


def _is_refusal(error: redis.exceptions.ResponseError) -> bool:
    refusals = (
        redis.exceptions.OutOfMemoryError,
        redis.exceptions.ReadOnlyError,
        redis.exceptions.ClusterDownError,
    )
    return isinstance(error, refusals) or str(error).startswith(_REFUSALS)


class _Client(redis.asyncio.Redis):
    """redis-py's client with our border around every command."""

    def __init__(self, pool: redis.asyncio.ConnectionPool, timeout_s: float) -> None:
        super().__init__(connection_pool=pool)
        self._timeout_s = timeout_s
        self._resting_until = 0.0

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        async with self.guarded():
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        return _GuardedPipeline(self, transaction, shard_hint)

    @asynccontextmanager
    async def guarded(self) -> AsyncIterator[None]:
        """One call: in time, within the border, and not at all while a silent server is left to rest."""
        if time.monotonic() < self._resting_until:
            raise RedisUnavailable("Redis gave no answer in time a moment ago")
        try:
            with translate_redis_errors():
                async with asyncio.timeout(self._timeout_s):
                    yield
        except RedisUnavailable as error:
            if isinstance(error.__cause__, (redis.exceptions.TimeoutError, TimeoutError)):
                self._resting_until = time.monotonic() + REST_S
            raise


class _GuardedPipeline(Pipeline):
    """A pipeline inside the same border."""

    def __init__(self, client: _Client, transaction: bool, shard_hint: str | None) -> None:
        super().__init__(client.connection_pool, client.response_callbacks, transaction, shard_hint)
        self._client = client

    async def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        async with self._client.guarded():
            return await super().immediate_execute_command(*args, **options)  # type: ignore[no-untyped-call]

    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        async with self._client.guarded():
            return await super().execute(raise_on_error)


@asynccontextmanager
async def open_redis(settings: Settings, *, join: bool = False) -> AsyncIterator[RedisClient]:
    """The link of this process.

    With `JMGRAPH_REDIS_URL` to that server, whether it answers yet or not. Without, to the Valkey of this data
    directory: started here unless another process runs it; with `join` never started here.
    Raises `ConfigurationError` for a refused password, or nothing to join.
    """
    url = settings.redis_url.get_secret_value()
    if url:
        async with _opened(url) as link:
            yield link
    elif join:
        async with _opened(await join_valkey(settings.data_dir)) as link:
            yield link
    else:
        async with embedded_valkey(settings.data_dir) as embedded_url, _opened(embedded_url) as link:
            yield link


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[RedisClient]:
    try:
        link = RedisClient(url)
    except ValueError as error:
        raise ConfigurationError(f"JMGRAPH_REDIS_URL=**********: {error}") from None
    try:
        await _greet(link)
        yield link
    finally:
        await link.aclose()


async def _greet(link: RedisClient) -> None:
    try:
        await link.client.ping()
    except RedisUnavailable as error:
        if isinstance(error.__cause__, redis.exceptions.AuthenticationError):
            raise ConfigurationError("JMGRAPH_REDIS_URL=**********: Redis refuses this user and password") from None
        log.warning("Redis can't be reached yet; going on without it", reason=type(error.__cause__).__name__)
    except redis.exceptions.ResponseError as error:
        raise ConfigurationError(f"JMGRAPH_REDIS_URL=**********: Redis answers: {error}") from None
