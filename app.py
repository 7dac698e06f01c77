"""The web door: opens the services, hangs the routes, closes. No logic."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection

from resolvers.context import Context
from rest.errors import exception_handlers
from rest.middleware.cors import CORSMiddleware
from rest.middleware.metrics import RequestMetricsMiddleware
from rest.middleware.proxy_headers import ProxyHeadersMiddleware
from rest.middleware.response_cache import ResponseCacheMiddleware
from rest.middleware.trusted_hosts import TrustedHostsMiddleware
from rest.routes import routes
from rest.webpage import graphiql_page
from schema.build import build_schema
from schema.http.documents import Documents, Limits
from schema.http.endpoint import GraphQLEndpoint
from schema.http.persisted import PersistedQueries
from services.container import Services, open_services
from services.settings import Settings


def build_app(settings: Settings) -> Starlette:
    """The application by these settings; its services live as long as its lifespan."""
    stopping, shortcuts = asyncio.Event(), ResponseCacheMiddleware()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_services(settings) as services:
            app.state.services = services
            yield
            stopping.set()

    app = Starlette(
        routes=routes(graphql_endpoint(settings, stopping)),
        lifespan=lifespan,
        exception_handlers=exception_handlers,
        middleware=[
            Middleware(RequestMetricsMiddleware, shortcuts),
            Middleware(
                TrustedHostsMiddleware, settings.allowed_hosts, settings.public_url
            ),  # the Host as sent: a page may
            Middleware(
                ProxyHeadersMiddleware, settings.trusted_proxies
            ),  # claim to be a proxy, but can't choose its Host
            Middleware(CORSMiddleware),
        ],
    )
    app.state.stopping = stopping
    app.state.shortcuts = shortcuts
    return app


def graphql_endpoint(settings: Settings, stopping: asyncio.Event) -> GraphQLEndpoint:
    """`/graphql` by these settings."""
    limits = Limits(settings.query_budget, settings.query_depth, settings.query_aliases, settings.query_tokens)
    documents = Documents(limits, list_details=settings.policy == "strict")

    def context_of(connection: HTTPConnection) -> Context:
        services: Services = connection.app.state.services
        access, scope = services.access, connection.scope
        return Context(services=services, base_url=access.base_url(scope), caller=access.caller(scope))

    return GraphQLEndpoint(
        build_schema(documents), documents, context_of, PersistedQueries(), graphiql_page, stopping
    )
