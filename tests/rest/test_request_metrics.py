"""Metrics of requests: by the pattern of the route, wherever the response comes from."""

from __future__ import annotations

import re

import pytest

from tests.graphql_client import GraphQLClient

pytestmark = pytest.mark.anyio

INFO = "/v1/info/350234"


async def _count(server: GraphQLClient, route: str, method: str = "GET", status: int = 200) -> float:
    labels = re.escape(f'method="{method}",route="{route}",status="{status}"')
    text = (await server.http.get("/metrics")).text
    return sum(float(value) for value in re.findall(rf"^jmgraph_http_requests_total{{{labels}}} (\S+)$", text, re.M))


@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-Prefix": "/jm", "X-Forwarded-Proto": "https"}])
async def test_a_request_is_counted_by_its_route_also_through_a_proxy_and_from_the_cache(
    server: GraphQLClient, headers: dict[str, str]
) -> None:
    before = await _count(server, "/v1/info/{aid}")

    for _ in range(2):
        await server.http.get(INFO, headers=headers)

    assert await _count(server, "/v1/info/{aid}") == before + 2


@pytest.mark.parametrize(("path", "route"), [("/downloads", "/downloads"), ("/secret/album", "other")])
async def test_an_unknown_path_is_counted_by_a_known_first_segment_or_as_other(
    server: GraphQLClient, path: str, route: str
) -> None:
    before = await _count(server, route, status=404)

    await server.http.get(path, headers={"X-Forwarded-Prefix": "/jm"})

    assert await _count(server, route, status=404) == before + 1
