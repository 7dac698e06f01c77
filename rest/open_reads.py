"""CORS: reads are open to any origin. (What changes state asks `Access`; the EhTag API has rules of its own.)"""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

EXPOSED = ("ETag", "Age", "Warning", "Retry-After", "Content-Range", "Content-Disposition", "X-Request-ID")
PREFLIGHT_S = 86400


class OpenReads:
    """Any origin, no credentials, everywhere but under `/api`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "HEAD", "POST", "OPTIONS"],
            allow_headers=["*"],
            expose_headers=EXPOSED,
            max_age=PREFLIGHT_S,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it on, through CORS or not."""
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        app = self._app if path == "/api" or path.startswith("/api/") else self._open
        await app(scope, receive, send)
