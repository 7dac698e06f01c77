"""Every address of the server, in the order they are tried."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp

from rest import docs, files, health, images, metrics, webpage
from rest.ehtag import routes as ehtag
from rest.v1 import downloads as v1_downloads
from rest.v1 import notifications
from rest.v1 import reads as v1


def routes(graphql: ASGIApp) -> list[BaseRoute]:
    """The routes; `graphql` serves both halves of `/graphql`."""
    return [
        Route("/graphql", graphql),
        WebSocketRoute("/graphql", graphql),
        *v1.routes,
        *v1_downloads.routes,
        *notifications.routes,
        *v1.last_routes,
        *images.routes,
        *files.routes,
        *ehtag.routes,
        *docs.routes,
        *health.routes,
        *metrics.routes,
        *webpage.routes,
    ]
