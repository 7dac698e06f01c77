"""Under which address the caller knows this server."""

from __future__ import annotations

from starlette.requests import HTTPConnection


def base_url_of(connection: HTTPConnection, public_url: str) -> str:
    """Base of absolute URLs, without a final slash: the public URL, else what the request was sent to."""
    if public_url:
        return public_url
    scheme = {"ws": "http", "wss": "https"}.get(connection.scope["scheme"], connection.scope["scheme"])
    host = connection.headers.get("host") or "localhost"
    prefix = connection.scope.get("app_root_path", connection.scope.get("root_path", ""))
    return f"{scheme}://{host}{prefix.rstrip('/')}"
