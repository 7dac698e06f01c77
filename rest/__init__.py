"""HTTP and WebSocket beside GraphQL: both older APIs, images, files, their documentation, health, the web page."""

from __future__ import annotations

from collections.abc import Callable

from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp

from rest import docs, ehtag, files, health, images, opds, v1, webpage
from rest.responses import exception_handlers
from rest.webpage import graphiql_page


def routes(graphql: ASGIApp, sdl: Callable[[], str]) -> list[BaseRoute]:
    """All routes of the server, in the order they are tried; `graphql` serves HTTP and WebSocket at `/graphql`, and
    `sdl` gives its schema.
    """
    return [
        Route("/graphql", graphql),
        WebSocketRoute("/graphql", graphql),
        *v1.routes,
        *images.routes,
        *files.routes,
        *ehtag.routes,
        *opds.routes,
        *docs.routes(sdl),
        *health.routes,
        *webpage.routes,
    ]


__all__ = ["exception_handlers", "graphiql_page", "routes"]
