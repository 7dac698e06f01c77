"""Who may change state: the origin rule against foreign browser pages, and the host's API keys."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from urllib.parse import urlsplit

from services.errors import Forbidden, Unauthenticated


class Access:
    """Judges one call that changes state; knows origins and keys, nothing of HTTP."""

    def __init__(self, allowed_origins: Sequence[str], api_keys: Sequence[str]) -> None:
        self._origins = frozenset(allowed_origins)
        self._keys = tuple(key.encode() for key in api_keys)

    @property
    def needs_key(self) -> bool:
        """True when the host set API keys."""
        return bool(self._keys)

    def check_change(self, *, origin: str | None, own_origins: Sequence[str], api_key: str | None) -> None:
        """Return for a caller who may change state.

        `origin` is the `Origin` header as sent, None for clients that are no browser; `own_origins` are the
        origins this server is reached at ("http://localhost:11111"). Raises `Forbidden` for a foreign page,
        `Unauthenticated` without a right key.
        """
        self._check_origin(origin, own_origins)
        self._check_key(api_key)

    def _check_origin(self, origin: str | None, own_origins: Sequence[str]) -> None:
        if origin is None or "*" in self._origins:
            return
        asking = origin_of(origin)  # "" is nobody's, not even of a server whose own address can't be read
        if not asking or asking not in self._origins | {origin_of(own) for own in own_origins}:
            raise Forbidden("Pages of this origin may not change state here; JMGRAPH_CORS_ORIGINS allows more.")

    def _check_key(self, api_key: str | None) -> None:
        if not self._keys:
            return
        given = (api_key or "").encode()
        if not any([hmac.compare_digest(given, key) for key in self._keys]):  # noqa: C419 (every key is compared, so time tells nothing)
            raise Unauthenticated("An API key is needed: X-API-Key, Authorization: Bearer, or apiKey.")


def origin_of(url: str) -> str:
    """Scheme, host and port in lower case, default ports left out; "" for what is no origin ("null")."""
    try:
        parts = urlsplit(url.strip().lower())
        port = parts.port
    except ValueError:
        return ""
    if not parts.scheme or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port is None or port == {"http": 80, "https": 443}.get(parts.scheme):
        return f"{parts.scheme}://{host}"
    return f"{parts.scheme}://{host}:{port}"
