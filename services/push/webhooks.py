"""Webhooks, signed as Standard Webhooks has it (https://www.standardwebhooks.com).

The address of a request is resolved here, once, checked, and connected to: what its name leads to later, or says to
somebody else, does not matter. No redirect is followed, and an answer has limits of bytes and time.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit, urlunsplit

import httpcore
import idna
import orjson

from services.errors import InvalidInput
from services.network import is_public_address, resolve
from services.push.records import NO_ANSWER, PRIVATE_ADDRESS, TOO_LONG, NotificationMessage, SendResult

TIMEOUT_S = 10.0
"""Of one attempt, from resolving the name to the end of the answer."""
MOST_BYTES = 64 * 1024
"""Of an answer, which nobody reads."""

_PREFIX = re.compile(r"json\+webhook(?:[:+\s]+(?=https?://)|(?=://))", re.IGNORECASE)
_SECRET = "whsec_"  # noqa: S105  # the prefix of secrets
_URL_SIGNS = "/%:@!$&'()*+,;=~-._?"

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address to post to, and the key of its signatures. Neither is shown by `repr`."""

    url: str = field(repr=False)
    key: bytes = field(repr=False)

    def signature(self, id: str, timestamp: int, body: bytes) -> str:
        """The value of `webhook-signature`: "v1," and the HMAC-SHA256 of id, timestamp and body in Base64."""
        signed = b".".join((id.encode(), str(timestamp).encode(), body))
        return "v1," + base64.b64encode(hmac.digest(self.key, signed, hashlib.sha256)).decode()


def is_webhook(text: str) -> bool:
    """Whether an address is meant as a webhook: `json+webhook` before it, or `#whsec_…` behind it."""
    return _PREFIX.match(text) is not None or f"#{_SECRET}" in text


def parse_webhook(text: str) -> Webhook:
    """The webhook of an address such as https://host/path#whsec_…; raises `InvalidInput` ("urls") in words that do
    not repeat it.
    """
    found = _PREFIX.match(text)
    address = text[found.end() :] if found else text
    address = f"https{address}" if address.startswith("://") else address
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
        ascii_host = host if ":" in host else idna.encode(host, uts46=True).decode()
    except (ValueError, idna.IDNAError):
        raise InvalidInput("urls", "The address of a webhook is no URL.") from None
    if parts.scheme not in ("http", "https") or not ascii_host:
        raise InvalidInput("urls", "A webhook has an address that begins with https://.")
    if parts.username or parts.password:
        raise InvalidInput("urls", "A webhook has no user and no password: its secret signs what is sent.")
    shown_host = f"[{ascii_host}]" if ":" in ascii_host else ascii_host
    netloc = shown_host if port is None else f"{shown_host}:{port}"
    path, query = quote(parts.path or "/", safe=_URL_SIGNS), quote(parts.query, safe=_URL_SIGNS)
    return Webhook(urlunsplit((parts.scheme, netloc, path, query, "")), _key_in(parts.fragment))


def _key_in(fragment: str) -> bytes:
    if not fragment.startswith(_SECRET):
        raise InvalidInput("urls", "A webhook ends with its secret: #whsec_ and Base64.")
    text = fragment.removeprefix(_SECRET).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise InvalidInput("urls", "The secret of a webhook is Base64 behind whsec_.")
    return key


class WebhookClient:
    """Posts notifications to webhooks. `allows_private`: addresses that the internet does not route are allowed."""

    def __init__(self, *, allows_private: bool, resolve: Resolve = resolve, timeout_s: float = TIMEOUT_S) -> None:
        self._backend = _CheckedBackend(resolve, allows_private=allows_private)
        self._timeout_s = timeout_s

    async def send(self, hook: Webhook, notification: NotificationMessage, at: datetime) -> SendResult:
        """Post one notification at this time; what became of it."""
        body = orjson.dumps(
            {
                "type": notification.type,
                "timestamp": notification.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
                "data": dict(notification.data),
            }
        )
        timestamp = int(at.timestamp())
        headers: dict[bytes | str, bytes | str] = {
            "Host": urlsplit(hook.url).netloc,
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "User-Agent": "jmgraph",
            "Accept-Encoding": "identity",
            "webhook-id": notification.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": hook.signature(notification.id, timestamp, body),
        }
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._post(hook.url, headers, body)
        except _PrivateAddress:
            return PRIVATE_ADDRESS
        except (
            TimeoutError,
            OSError,
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.TimeoutException,
        ):
            return NO_ANSWER

    async def _post(self, url: str, headers: dict[bytes | str, bytes | str], body: bytes) -> SendResult:
        async with (
            httpcore.AsyncConnectionPool(network_backend=self._backend) as pool,
            pool.stream("POST", url, headers=headers, content=body) as response,
        ):
            size_bytes = 0
            async for chunk in response.aiter_stream():
                size_bytes += len(chunk)
                if size_bytes > MOST_BYTES:
                    return TOO_LONG
            return SendResult.of_status(response.status)


class _PrivateAddress(Exception):
    """A name leads to an address that is not one of the internet."""


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to the addresses that it has resolved and checked, and to no name."""

    def __init__(self, resolve: Resolve, *, allows_private: bool) -> None:
        self._resolve = resolve
        self._allows_private = allows_private
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._resolve(host, port)
        if not self._allows_private and not all(map(is_public_address, addresses)):
            raise _PrivateAddress
        failure: Exception = httpcore.ConnectError("the name has no address")
        for address in addresses:
            try:
                return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)
