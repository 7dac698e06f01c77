"""The adapter to Redis (or Valkey): one client a process, behind one circuit breaker."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, NoReturn
from urllib.parse import urlsplit

import redis.asyncio
import redis.exceptions
import structlog
from redis.asyncio.client import Pipeline

from services.errors import ConfigurationError
from services.redis.embedded import embedded_valkey, join_valkey
from services.redis.sentinel import SCHEMES, MasterPool, Sentinels
from services.settings import Settings
from services.tasks import shield_until_done

log = structlog.get_logger("jmgraph.redis")

CONNECT_TIMEOUT_S = 2.0
COMMAND_TIMEOUT_S = 5.0
"""A script takes milliseconds; what takes longer than this is no answer."""
FIRST_OPEN_S = 1.0
"""The circuit stays open for so long after a timeout; doubles while Redis does not answer."""
LONGEST_OPEN_S = 5.0
MAX_CONNECTIONS = 64
"""Per process; further callers wait for a free one."""

_REFUSALS = ("LOADING", "MISCONF", "MASTERDOWN", "READONLY", "OOM", "NOREPLICAS", "CLUSTERDOWN")
"""Answers of a server that is running but can't do its work now."""

_PROBE = """
redis.call('SET', KEYS[1], '1', 'PX', 1)
redis.call('SET', KEYS[2], '1', 'PX', 1)
return redis.call('PUBLISH', KEYS[1], '')
"""
"""What every script needs: to run as this user, on our keys, of several slots, and on our channels."""
_PROBE_KEYS = ("jmgraph:probe:1", "jmgraph:probe:2")
_CLUSTER = (
    "this is a Redis Cluster, and our scripts change keys of several slots in one step; "
    "give one server, or Sentinel (redis+sentinel://)"
)


class RedisUnavailable(Exception):
    """Redis did not answer, or can't do its work now; the same call may succeed later."""


class RedisClient:
    """The connections of this process. Answers are bytes."""

    def __init__(self, url: str, *, command_timeout_s: float = COMMAND_TIMEOUT_S) -> None:
        """`url` as `JMGRAPH_REDIS_URL`, with its password; no connection is made yet. Raises `ValueError`."""
        self._url = url
        self._command_timeout_s = command_timeout_s
        self._sentinels = Sentinels.of(url, **_tls_options(url)) if urlsplit(url).scheme in SCHEMES else None
        self._pool = self.new_pool(MAX_CONNECTIONS)
        self._breaker = CircuitBreaker()
        self.client: redis.asyncio.Redis = _Client(self._pool, self._breaker, command_timeout_s)

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

    def with_timeout(self, timeout_s: float, *, max_timeouts: int = 1) -> redis.asyncio.Redis:
        """A client on the same connections and breaker that waits no longer than this for an answer.

        `max_timeouts` in a row open the circuit. With a short timeout a single one may come from a busy event loop,
        which checks its timers before it reads what has arrived.
        """
        return _Client(self._pool, self._breaker, timeout_s, max_timeouts)

    def new_pool(self, max_connections: int) -> redis.asyncio.ConnectionPool:
        """A further pool to the same server; the caller disconnects it, and puts a timeout around its commands.

        redis-py's own `socket_timeout` uses `asyncio.wait_for`, which in Python 3.11 loses a cancellation that
        comes together with the answer (https://github.com/python/cpython/issues/86296).
        """
        options: dict[str, Any] = {
            "max_connections": max_connections,
            "timeout": self._command_timeout_s,
            "socket_connect_timeout": CONNECT_TIMEOUT_S,
        }
        if self._sentinels:
            return MasterPool(self._sentinels, **options, socket_keepalive=True)
        if not self._url.startswith("unix:"):
            options["socket_keepalive"] = True
        if self._url.startswith("rediss:"):
            options |= _tls_options(self._url)
        return redis.asyncio.BlockingConnectionPool.from_url(self._url, **options)

    async def ping(self) -> float | None:
        """Round-trip time in milliseconds; None while Redis is unavailable."""
        began = time.perf_counter()
        try:
            await self.client.ping()
        except RedisUnavailable:
            return None
        return (time.perf_counter() - began) * 1000

    async def aclose(self) -> None:
        """Close every connection."""
        await shield_until_done(self._pool.disconnect())


def _tls_options(url: str) -> dict[str, Any]:
    """The certificate must be for the host's name, which redis-py 5 does not check by itself."""
    return {} if "ssl_cert_reqs=none" in url else {"ssl_check_hostname": True}


@contextmanager
def translate_redis_errors() -> Iterator[None]:
    """Turn what redis-py raises for an unavailable Redis into `RedisUnavailable`; other errors are bugs and pass."""
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


class CircuitBreaker:
    """Fails calls at once while Redis does not answer, and lets one through now and then to probe it.

    There is one per process, and every client of Redis uses it. A refused connection does not open it, since that
    costs no time.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._consecutive_timeouts = 0
        self._open_until = 0.0
        self._open_s = FIRST_OPEN_S
        self._is_unavailable = False

    @asynccontextmanager
    async def call(self, timeout_s: float, max_timeouts: int) -> AsyncIterator[None]:
        """One call. Raises `RedisUnavailable`; opens after `max_timeouts` calls in a row that timed out."""
        now = self._clock()
        if now < self._open_until:
            raise RedisUnavailable("Redis gave no answer in time a moment ago")
        is_probe = self._open_until > 0
        if is_probe:
            self._open_until = now + timeout_s  # for the other calls, while this one probes
        try:
            with translate_redis_errors():
                async with asyncio.timeout(timeout_s):
                    yield
        except RedisUnavailable as error:
            self._note_failure(error, is_probe, max_timeouts)
            raise
        except redis.exceptions.ResponseError:
            self._note_answer()
            raise
        self._note_answer()

    def _note_failure(self, error: RedisUnavailable, is_probe: bool, max_timeouts: int) -> None:
        # a refused password has its own error message, which ends the start of a process
        if not self._is_unavailable and not isinstance(error.__cause__, redis.exceptions.AuthenticationError):
            log.warning("Redis is unavailable; continuing without it", reason=type(error.__cause__).__name__)
        self._is_unavailable = True
        if not isinstance(error.__cause__, (redis.exceptions.TimeoutError, TimeoutError)):
            self._open_until = 0.0
            return
        self._consecutive_timeouts += 1
        if is_probe or self._consecutive_timeouts >= max_timeouts:
            self._open_until = self._clock() + self._open_s
            self._open_s = min(2 * self._open_s, LONGEST_OPEN_S)

    def _note_answer(self) -> None:
        if self._is_unavailable:
            log.info("Redis is available again")
        self._is_unavailable = False
        self._consecutive_timeouts, self._open_until, self._open_s = 0, 0.0, FIRST_OPEN_S


class _Client(redis.asyncio.Redis):
    """redis-py's client with the circuit breaker around every command."""

    def __init__(
        self, pool: redis.asyncio.ConnectionPool, breaker: CircuitBreaker, timeout_s: float, max_timeouts: int = 1
    ) -> None:
        super().__init__(connection_pool=pool)
        self._breaker = breaker
        self._timeout_s = timeout_s
        self._max_timeouts = max_timeouts

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        async with self.guarded():
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        return _GuardedPipeline(self, transaction, shard_hint)

    def guarded(self) -> AbstractAsyncContextManager[None]:
        """One call through the circuit breaker."""
        return self._breaker.call(self._timeout_s, self._max_timeouts)


class _GuardedPipeline(Pipeline):
    """A pipeline behind the same circuit breaker."""

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
    """The client of this process.

    With `JMGRAPH_REDIS_URL` to that server, whether it answers yet or not. Without, to the Valkey of this data
    directory: started here unless another process runs it; with `join` never started here.
    Raises `ConfigurationError` for a refused password, or nothing to join.
    """
    url = settings.redis_url.get_secret_value()
    if url:
        async with _opened(url) as client:
            yield client
    elif join:
        async with _opened(await join_valkey(settings.data_dir)) as client:
            yield client
    else:
        async with embedded_valkey(settings.data_dir) as embedded_url, _opened(embedded_url) as client:
            yield client


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[RedisClient]:
    try:
        client = RedisClient(url)
    except ValueError as error:
        raise ConfigurationError(f"JMGRAPH_REDIS_URL=**********: {error}") from None
    try:
        await _check_server(client)
        yield client
    finally:
        await client.aclose()


async def _check_server(client: RedisClient) -> None:
    """Raises `ConfigurationError` for what waiting does not change; a server that gives no answer is waited for."""
    try:
        await client.client.ping()
        await client.client.eval(_PROBE, len(_PROBE_KEYS), *_PROBE_KEYS)  # type: ignore[misc]
    except RedisUnavailable as error:
        if reason := _reason_to_give_up(error):
            raise ConfigurationError(f"JMGRAPH_REDIS_URL=**********: {reason}") from None
    except redis.exceptions.ResponseError as error:
        reason = _CLUSTER if str(error).startswith("CROSSSLOT") else f"Redis answers: {error}"
        raise ConfigurationError(f"JMGRAPH_REDIS_URL=**********: {reason}") from None


def _reason_to_give_up(error: BaseException) -> str:
    """Why the server will never do; empty where it may work later."""
    found: BaseException | None = error
    while found:
        if isinstance(found, redis.exceptions.AuthenticationError):
            return "Redis refuses this user and password"
        if isinstance(found, ssl.SSLCertVerificationError):
            return f"its certificate: {found.verify_message} (?ssl_ca_certs=FILE names the issuer to trust)"
        if isinstance(found, redis.exceptions.ResponseError):
            return f"Redis answers: {found}"
        found = found.__cause__ or found.__context__
    return ""
