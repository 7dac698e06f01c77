"""The web application: opens the services, mounts the routes, closes. No logic."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware

from rest import exception_handlers, graphiql_page, routes
from rest.middleware import (
    AuthenticationMiddleware,
    ClientLimitMiddleware,
    CORSMiddleware,
    ProxyHeadersMiddleware,
    RequestContextMiddleware,
    RequestMetricsMiddleware,
    ResponseCacheMiddleware,
    TrustedHostsMiddleware,
)
from schema import limited_schema, sdl
from schema.http import GraphQLEndpoint, OperationLimits
from services.container import Services, open_services
from services.settings import Settings
from services.tasks import cancel_and_wait


def build_app(settings: Settings) -> Starlette:
    """The application by these settings; its services live as long as its lifespan."""
    stopping = asyncio.Event()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_services(settings) as services:
            app.state.services = services
            sync_task = asyncio.create_task(services.tags.keep_synced(settings.ehtag_sync_every_s))
            try:
                yield
            finally:
                stopping.set()
                await cancel_and_wait(sync_task)

    def catalog_version() -> Hashable:
        services: Services | None = getattr(app.state, "services", None)  # None until the lifespan has begun
        return services and services.catalog.version

    app = Starlette(
        routes=routes(graphql_endpoint(settings, stopping), sdl),
        lifespan=lifespan,
        exception_handlers=exception_handlers,
        middleware=[
            Middleware(RequestMetricsMiddleware),
            # before the proxy headers: a page may claim to be a proxy, but can't choose its Host
            Middleware(TrustedHostsMiddleware, settings.allowed_hosts, settings.public_url),
            Middleware(ProxyHeadersMiddleware, settings.trusted_proxies),
            Middleware(CORSMiddleware),
            Middleware(ClientLimitMiddleware),
            # before the cache, which does not know who may read
            Middleware(AuthenticationMiddleware),
            Middleware(ResponseCacheMiddleware, catalog_version),
            Middleware(RequestContextMiddleware),
        ],
    )
    app.state.stopping = stopping
    return app


def graphql_endpoint(settings: Settings, stopping: asyncio.Event) -> GraphQLEndpoint:
    """`/graphql` by these settings."""
    limits = OperationLimits(
        upstream_calls=settings.query_budget,
        depth=settings.query_depth,
        aliases=settings.query_aliases,
        tokens=settings.query_tokens,
    )
    schema, documents = limited_schema(limits, list_details=settings.policy == "strict")
    return GraphQLEndpoint(schema, documents, graphiql_page, stopping)
