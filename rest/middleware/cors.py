"""CORS: reads are open to any origin. (What changes state asks `Access`; the EhTag API has rules of its own.)"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.middleware import cors
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rest.answers import error_response

EXPOSED = ("ETag", "Age", "Warning", "Retry-After", "Content-Range", "Content-Disposition", "X-Request-ID")
PREFLIGHT_S = 86400


class CORSMiddleware:
    """Any origin, no credentials, everywhere but under `/api`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open = _Preflights(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "HEAD", "POST", "OPTIONS"],
            allow_headers=["*"],
            expose_headers=EXPOSED,
            max_age=PREFLIGHT_S,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it on, through CORS or not."""
        if _would_forge(scope):
            message = "Pages may not say what a proxy says: X-Forwarded headers are not taken from them."
            await error_response(403, "FORBIDDEN", message)(scope, receive, send)
            return
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        app = self._app if path == "/api" or path.startswith("/api/") else self._open
        await app(scope, receive, send)


class _Preflights(cors.CORSMiddleware):
    """Starlette's, but for its refusals, which are plain text."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """The answer to a preflight."""
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        words = bytes(response.body).decode()
        headers = {name: response.headers[name] for name in response.headers if name not in _OF_BODY}
        return error_response(response.status_code, "BAD_REQUEST", words, headers=headers)


_OF_BODY = ("content-type", "content-length")


def _would_forge(scope: Scope) -> bool:
    """A preflight for headers that name another origin as ours, from a browser that runs beside a trusted proxy."""
    if scope["type"] != "http" or scope["method"] != "OPTIONS":
        return False
    return "x-forwarded-" in Headers(scope=scope).get("access-control-request-headers", "").lower()
