"""Who sends a request: what trusted proxies report of it, and whose credential it carries."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from rest.middleware.credentials import pass_on_authenticated
from services.access import SESSION_COOKIE
from services.container import Services

Header = tuple[bytes, bytes]


class ProxyHeadersMiddleware:
    """Applies `X-Forwarded-Proto`, `-Host`, `-For` and `-Prefix` when the peer is a trusted proxy."""

    def __init__(self, app: ASGIApp, trusted: Sequence[str]) -> None:
        self._app = app
        self._all = "*" in trusted
        self._networks = [ip_network(text, strict=False) for text in trusted if text != "*"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Rewrite the scope, then pass the request on."""
        if scope["type"] in ("http", "websocket") and _is_forwarded(scope["headers"]) and self._trusts(scope):
            scope.update(_forwarded(scope))  # in place, so that the middlewares before this one see the route
        await self._app(scope, receive, send)

    def _trusts(self, scope: Scope) -> bool:
        if self._all:
            return True
        client = scope.get("client")
        if client is None:
            return True  # a unix socket: only this machine can connect to it
        try:
            address = ip_address(client[0])
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def _is_forwarded(headers: Sequence[Header]) -> bool:
    return any(name.startswith(b"x-forwarded-") for name, _ in headers)


def _forwarded(scope: Scope) -> dict[str, Any]:
    """The entries of the scope that the headers replace."""
    values = {name: value.decode("latin-1") for name, value in scope["headers"] if name.startswith(b"x-forwarded-")}
    changed: dict[str, Any] = {}
    scheme = _first(values.get(b"x-forwarded-proto", "")).lower()
    if scheme in ("http", "https"):
        secure = scheme == "https"
        changed["scheme"] = scheme if scope["type"] == "http" else ("wss" if secure else "ws")
    if host := _first(values.get(b"x-forwarded-host", "")):
        others = [header for header in scope["headers"] if header[0] != b"host"]
        changed["headers"] = [*others, (b"host", host.encode("latin-1"))]
    if client := _first(values.get(b"x-forwarded-for", "")):
        changed["client"] = (client, 0)
    if prefix := _prefix(values.get(b"x-forwarded-prefix", "")):
        changed["root_path"] = prefix
        changed["path"] = _under(prefix, scope["path"])
    return changed


def _under(prefix: str, path: str) -> str:
    """The path below the prefix, whether or not the proxy took the prefix away."""
    if path == prefix:
        return path + "/"
    return path if path.startswith(prefix + "/") else prefix + path


def _first(value: str) -> str:
    """The first of a list: what the proxy nearest to the client added."""
    return value.split(",")[0].strip()


def _prefix(value: str) -> str:
    """The sub-path, as "/jm"; "" without one, or for what is no plain path."""
    path = "/" + _first(value).strip("/")
    is_plain = path != "/" and "//" not in path and all(part not in (".", "..") for part in path.split("/"))
    return path if is_plain and path.isprintable() and not set(path) & set('"<>\\?# ') else ""


class AuthenticationMiddleware:
    """Finds out whose credential a request carries, and refuses what its sender may not have.

    While everybody may read, a request without a credential costs a look at its headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with the identity of its sender, or refuse it."""
        services: Services | None = getattr(scope["app"].state, "services", None)  # None until the lifespan begins
        if services is None or scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif services.access.is_restricted or _has_credential(scope["headers"]):
            await pass_on_authenticated(self._app, services, scope, receive, send)
        else:
            await self._app(scope, receive, send)


_COOKIE = f"{SESSION_COOKIE}=".encode()


def _has_credential(headers: Sequence[Header]) -> bool:
    """Whether there may be a person's credential among the headers."""
    for name, value in headers:
        if name == b"authorization":
            if value[:6].lower() == b"basic " or value[6:].lstrip().startswith(b"jmg_"):
                return True
        elif name == b"cookie":
            if _COOKIE in value:
                return True
        elif name == b"x-token" and value.startswith(b"jmg_"):
            return True
    return False
