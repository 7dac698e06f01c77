"""Who sends a request, under which URL they know this server, and whether they may change state.

Reads ASGI scopes; knows no web framework.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from services.errors import Forbidden, Unauthenticated
from services.http_semantics import bearer_token, header

Scope = Mapping[str, Any]
"""ASGI's scope of an HTTP request or a WebSocket."""

_HTTP_SCHEMES = {"ws": "http", "wss": "https"}
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Caller:
    """Identity of the sender of a request, as its headers state it; nothing here is verified yet.

    `origin` is the `Origin` header as sent, None for clients that are no browser. `own_origins` are the URLs this
    server is reached at ("http://localhost:11111"): pages of those are ours. `token` is a GitHub token.
    """

    origin: str | None = None
    own_origins: tuple[str, ...] = ()
    api_key: str | None = None
    token: str | None = None


class Access:
    """The host's rules: its public URL, the origins of browser pages that may write, and its API keys."""

    def __init__(self, public_url: str, allowed_origins: Sequence[str], api_keys: Sequence[str]) -> None:
        self._public_url = public_url
        self._origins = frozenset(allowed_origins)
        self._keys = tuple(key.encode() for key in api_keys)

    def base_url(self, scope: Scope) -> str:
        """Base of absolute URLs, without a final slash: the public URL, else where the request was sent to."""
        if self._public_url:
            return self._public_url
        scheme = _HTTP_SCHEMES.get(scope["scheme"], scope["scheme"])
        prefix: str = scope.get("app_root_path", scope.get("root_path", ""))
        return f"{scheme}://{_host(scope) or 'localhost'}{prefix.rstrip('/')}"

    def caller(self, scope: Scope) -> Caller:
        """The sender of a request; a Bearer is the API key where the host has keys, else the GitHub token."""
        headers = scope["headers"]
        bearer = bearer_token(header(headers, b"authorization"))
        api_key = header(headers, b"x-api-key") or (bearer if self._keys else None)
        return Caller(
            origin=header(headers, b"origin"),
            own_origins=self._own_origins(scope),
            api_key=_as_utf8(api_key),
            token=header(headers, b"x-token") or (None if self._keys else bearer),
        )

    def require_write_access(self, caller: Caller) -> None:
        """Return for a caller who may change state.

        Raises `Forbidden` for a page of a foreign origin, `Unauthenticated` without a valid API key.
        """
        self._check_origin(caller)
        self._check_key(caller.api_key)

    def _own_origins(self, scope: Scope) -> tuple[str, ...]:
        base_url, host = self.base_url(scope), _host(scope)
        schemes = (base_url.partition("://")[0], _HTTP_SCHEMES.get(scope["scheme"], scope["scheme"]))
        return (base_url, *(f"{scheme}://{host}" for scheme in schemes))

    def _check_origin(self, caller: Caller) -> None:
        if caller.origin is None or "*" in self._origins:
            return
        origin = _normalised_origin(caller.origin)  # "" is foreign, even where our own URL can't be parsed
        own = {_normalised_origin(url) for url in caller.own_origins}
        if not origin or origin not in self._origins | own:
            raise Forbidden("Pages of this origin may not change state here; JMGRAPH_CORS_ORIGINS allows more.")

    def _check_key(self, api_key: str | None) -> None:
        if not self._keys:
            return
        given = (api_key or "").encode()
        matches = [hmac.compare_digest(given, key) for key in self._keys]  # all of them, so that time reveals nothing
        if not any(matches):
            raise Unauthenticated("An API key is needed: X-API-Key, Authorization: Bearer, or apiKey.")


def _host(scope: Scope) -> str:
    return header(scope["headers"], b"host") or ""


def _as_utf8(text: str | None) -> str | None:
    """Text whose UTF-8 was read as Latin-1, as headers are read, decoded again."""
    try:
        return text and text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _normalised_origin(url: str) -> str:
    """Scheme, host and port in lower case, default ports left out; "" for what is no origin ("null")."""
    try:
        parts = urlsplit(url.strip().lower())
        port = parts.port
    except ValueError:
        return ""
    if not parts.scheme or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port is None or port == _DEFAULT_PORTS.get(parts.scheme):
        return f"{parts.scheme}://{host}"
    return f"{parts.scheme}://{host}:{port}"
