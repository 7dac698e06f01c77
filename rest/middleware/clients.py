"""Who sends a request: what trusted proxies report of it, how many a client may send, whose credential it carries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from rest.middleware.credentials import known_identity, pass_on_authenticated, refuse
from services.access import IDENTITY_KEY, SESSION_COOKIE, Caller
from services.container import Services
from services.errors import RateLimited
from services.http_semantics import route_path
from services.observability import client_meter

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
            # in place, so that the middlewares before this one see the route
            scope.update(_forwarded(scope, self._is_trusted))
        await self._app(scope, receive, send)

    def _trusts(self, scope: Scope) -> bool:
        if self._all:
            return True
        client = scope.get("client")
        if client is None:
            return True  # a unix socket: only this machine can connect to it
        return self._is_trusted(client[0])

    def _is_trusted(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def _is_forwarded(headers: Sequence[Header]) -> bool:
    return any(name.startswith(b"x-forwarded-") for name, _ in headers)


def _forwarded(scope: Scope, is_trusted: Callable[[str], bool]) -> dict[str, Any]:
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
    if client := _client(values.get(b"x-forwarded-for", ""), is_trusted):
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


def _client(value: str, is_trusted: Callable[[str], bool]) -> str:
    """Who sent a request, by `X-Forwarded-For`: the last address that is no trusted proxy's.

    What stands before it was sent by that client itself, which may claim to be anybody. Where all are trusted (as
    with `*`, which names none) it is the first.
    """
    addresses = [part for part in map(str.strip, value.split(",")) if part]
    return next((address for address in reversed(addresses) if not is_trusted(address)), _first(value))


def _prefix(value: str) -> str:
    """The sub-path, as "/jm"; "" without one, or for what is no plain path."""
    path = "/" + _first(value).strip("/")
    is_plain = path != "/" and "//" not in path and all(part not in (".", "..") for part in path.split("/"))
    return path if is_plain and path.isprintable() and not set(path) & set('"<>\\?# ') else ""


REQUEST_WEIGHTS = {"graphql": 1.0, "v1": 1.0, "ws": 1.0, "api": 1.0, "opds": 1.0, "images": 0.1, "downloads": 0.1}
"""What a request counts in its client's budget, by the first segment of its path; 0 for the page and its files, the
documents and the health checks. A page of a reader shows dozens of pictures, and a file is fetched in ranges.
"""


class ClientLimitMiddleware:
    """Counts the requests of each client and the calls to the site they cost; 429 to a client over its budget.

    `/graphql` counts its own: its errors have another form, and a WebSocket or a stream carries many operations.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the request, then pass it on."""
        services: Services | None = getattr(scope["app"].state, "services", None)  # None until the lifespan begins
        weight, segment = 0.0, ""
        if services is not None and scope["type"] in ("http", "websocket"):
            segment = route_path(scope).lstrip("/").partition("/")[0]
            weight = REQUEST_WEIGHTS.get(segment, 0.0)
        if services is None or not weight:
            await self._app(scope, receive, send)
            return
        budget = services.client_limits.of(_client_name(services, scope))
        if segment != "graphql":
            try:
                budget.take_request(weight)
            except RateLimited as error:
                await refuse(error, Caller(), f"/{segment}", scope, receive, send)
                return
        token = client_meter.set(budget)  # no context manager: it would take as long as all the rest
        try:
            await self._app(scope, receive, send)
        finally:
            client_meter.reset(token)


def _client_name(services: Services, scope: Scope) -> str:
    """Whose budget a request is counted in: of a person whose token was verified lately, else as `Access` says."""
    identity = known_identity(services, scope) if _has_credential(scope["headers"]) else None
    if identity is None or identity.viewer is None:
        return services.access.client(scope)
    scope[IDENTITY_KEY] = identity
    return f"user:{identity.viewer.user.id}"


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
