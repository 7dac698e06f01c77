"""The REST and WebSocket API of the JMComic server that this one replaces; its clients work unchanged."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import BaseRoute, Route, Router

from rest.v1 import downloads, notifications, reads, site_account
from rest.v1.errors import exception_handlers, v1_error_response

GROUPS = (reads.GROUP, downloads.GROUP, notifications.GROUP, site_account.GROUP)

_router = Router(
    [*reads.routes, *downloads.routes, *notifications.routes, *site_account.routes, reads.clock_route],
    middleware=[Middleware(ExceptionMiddleware, handlers=exception_handlers)],
)

routes: list[BaseRoute] = [
    Route("/v1/{path:remainder}", _router),
    notifications.socket_route,
]
"""Its own router, so that a missing path or a wrong method is answered as its clients know errors.

Not a `Mount`, whose pattern ends at a newline: a search text may have one.
"""

__all__ = ["GROUPS", "routes", "v1_error_response"]
