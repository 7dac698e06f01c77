"""A whole server in the test's process, and a GraphQL client of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette

from app import build_app
from services.container import Services, open_pipeline
from services.settings import Settings
from tests.databases import place_migrated_database

BASE = "http://127.0.0.1:11111"


@dataclass(frozen=True)
class GraphQLClient:
    """A client of a server in the same process."""

    app: Starlette
    http: httpx.AsyncClient

    @property
    def services(self) -> Services:
        """The server's services."""
        services: Services = self.app.state.services
        return services

    async def answer(self, query: str, headers: dict[str, str] | None = None, **variables: Any) -> dict[str, Any]:
        """The whole body of the response."""
        body = {"query": query, "variables": variables}
        response = await self.http.post("/graphql", json=body, headers=headers)
        answer: dict[str, Any] = response.json()
        return answer

    async def ask(self, query: str, **variables: Any) -> Any:
        """The data of a response that must have no errors."""
        answer = await self.answer(query, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def error(self, query: str, **variables: Any) -> dict[str, Any]:
        """The only error of a response: `{"message", "path", "code", …}`."""
        answer = await self.answer(query, **variables)
        assert len(answer["errors"]) == 1, answer
        error = answer["errors"][0]
        return {"message": error["message"], "path": error.get("path"), **error["extensions"]}

    async def cost(self, query: str, **variables: Any) -> int:
        """Number of calls to the site that an operation made."""
        answer = await self.answer(query, **variables)
        assert "errors" not in answer, answer["errors"]
        calls: int = answer["extensions"]["jmgraph"]["upstreamCalls"]
        return calls


@asynccontextmanager
async def graphql_client(settings: Settings) -> AsyncIterator[GraphQLClient]:
    """A client of a server with these settings."""
    await place_migrated_database(settings)
    app = build_app(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=BASE, timeout=30) as http,
    ):
        yield GraphQLClient(app, http)


@asynccontextmanager
async def running_worker(services: Services) -> AsyncIterator[None]:
    """Run a worker on the same services."""
    stop = asyncio.Event()
    async with open_pipeline(services) as pipeline:
        task = asyncio.create_task(services.downloads.worker(pipeline, jobs=2).run(stop))
        try:
            yield
        finally:
            stop.set()
            await task
