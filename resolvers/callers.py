"""Who asks, told from the headers of a request or of a socket's handshake."""

from __future__ import annotations

from collections.abc import Mapping

from resolvers.context import Caller


def caller_from_headers(headers: Mapping[str, str], base_url: str, *, scheme: str, needs_key: bool) -> Caller:
    """The caller; a Bearer is the API key where the host has keys, else a token; `headers` in lower case.

    `base_url` is what the world calls this server, `scheme` and the `Host` what this request was sent to: pages of
    either are our own.
    """
    bearer = bearer_in(headers.get("authorization"))
    schemes = (base_url.partition("://")[0], {"ws": "http", "wss": "https"}.get(scheme, scheme))
    return Caller(
        origin=headers.get("origin"),
        own_origins=(base_url, *(f"{one}://{headers.get('host', '')}" for one in schemes)),
        api_key=_as_written(headers.get("x-api-key") or (bearer if needs_key else None)),
        token=headers.get("x-token") or (None if needs_key else bearer),
    )


def _as_written(text: str | None) -> str | None:
    """UTF-8 that was read as Latin-1, which is how headers are read, as it was meant."""
    try:
        return text and text.encode("latin-1").decode()
    except UnicodeError:
        return text


def bearer_in(header: str | None) -> str | None:
    """The token in `Authorization: Bearer …`; None where there is none."""
    scheme, _, value = (header or "").partition(" ")
    return value.strip() or None if scheme.lower() == "bearer" else None
