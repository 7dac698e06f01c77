"""Sentinel: it says which server is the master, before each new connection is made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import redis.asyncio
import redis.exceptions
from redis.asyncio.connection import BlockingConnectionPool, Connection, SSLConnection, parse_url

SCHEMES = ("redis+sentinel", "rediss+sentinel")
DEFAULT_PORT = 26379
ANSWER_TIMEOUT_S = 1.0
"""Of one sentinel, before the next one is asked."""

Address = tuple[str, int]


@dataclass
class Sentinels:
    """The sentinels of `redis+sentinel://host1:26379,host2/name/0`, the last that answered first.

    User and password of the address are the server's. The sentinels' own are `?sentinel_username=…` and
    `?sentinel_password=…`; with `rediss+sentinel://` both are spoken to over TLS.
    """

    name: str
    addresses: list[Address]
    server_options: dict[str, Any] = field(repr=False)
    sentinel_options: dict[str, Any] = field(repr=False)

    @classmethod
    def of(cls, url: str, **tls_options: Any) -> Sentinels:
        """`tls_options` of redis-py hold for `rediss+sentinel://` where the address does not say otherwise.

        Raises `ValueError` for an address without hosts or without the name of the master.
        """
        parts = urlsplit(url)
        credentials, _, hosts = parts.netloc.rpartition("@")
        name, _, database = parts.path.strip("/").partition("/")
        addresses = [_address(host) for host in hosts.split(",") if host]
        if not name or not addresses:
            raise ValueError(f"as in {parts.scheme}://host1,host2/name-of-the-master/0")
        scheme = parts.scheme.removesuffix("+sentinel")
        options: dict[str, Any] = {**parse_url(f"{scheme}://{credentials}@/{database}?{parts.query}")}
        own = {key: options.pop(f"sentinel_{key}", None) for key in ("username", "password")}
        if not options.pop("connection_class", None):
            return cls(name, addresses, options, own)
        encryption = tls_options | {key: value for key, value in options.items() if key.startswith("ssl_")}
        return cls(name, addresses, encryption | options, own | encryption | {"ssl": True})

    @property
    def has_tls(self) -> bool:
        """True where servers and sentinels are spoken to over TLS."""
        return "ssl" in self.sentinel_options

    async def master(self) -> Address:
        """Where the master is. Raises redis-py's `ConnectionError` while none is known to be up."""
        refusal: Exception | None = None
        for address in tuple(self.addresses):
            try:
                state = await self._ask(address)
            except (redis.exceptions.RedisError, OSError) as error:
                refusal = error
                continue
            if state["is_sdown"] or state["is_odown"] or not state["is_master"]:
                continue
            self.addresses.sort(key=address.__ne__)
            return str(state["ip"]), int(state["port"])
        raise redis.exceptions.ConnectionError("the sentinels name no master that is up") from refusal

    async def _ask(self, address: Address) -> dict[str, Any]:
        host, port = address
        async with (
            asyncio.timeout(ANSWER_TIMEOUT_S),
            redis.asyncio.Redis(host=host, port=port, **self.sentinel_options) as sentinel,
        ):
            state: dict[str, Any] = await sentinel.sentinel_master(self.name)  # type: ignore[no-untyped-call]
            return state


def _address(host: str) -> Address:
    parts = urlsplit(f"//{host}")
    return parts.hostname or "", parts.port or DEFAULT_PORT


class MasterPool(BlockingConnectionPool):
    """Connections to the master; when another server has become it, those to the last one are closed.

    A master that hangs closes none by itself, and a subscription would wait for it much longer than a command does.
    """

    def __init__(self, sentinels: Sentinels, **options: Any) -> None:
        """`options` are redis-py's; those of the address win."""
        super().__init__(
            connection_class=_TlsMasterConnection if sentinels.has_tls else _MasterConnection,
            find_master=self._find_master,
            **options | sentinels.server_options,
        )
        self._sentinels = sentinels
        self._master: Address | None = None

    async def _find_master(self) -> Address:
        address = await self._sentinels.master()
        previous, self._master = self._master, address
        if previous not in (None, address):
            await self.disconnect()
        return address


class _MasterConnection(Connection):
    """A connection to the server that is the master when it is made."""

    def __init__(self, *, find_master: Callable[[], Awaitable[Address]], **options: Any) -> None:
        super().__init__(**options)
        self._find_master = find_master

    async def connect(self) -> None:
        """Ask for the master, then connect to it."""
        if not self.is_connected:
            self.host, self.port = await self._find_master()
        await super().connect()  # type: ignore[no-untyped-call]

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        """An answer; a server that has become a replica is left."""
        try:
            return await super().read_response(*arguments, **options)
        except redis.exceptions.ReadOnlyError:
            await self.disconnect()
            raise


class _TlsMasterConnection(_MasterConnection, SSLConnection):
    """The same over TLS."""
