"""The OpenAPI document: its content, its page, and that no response contradicts it."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from demo.server import RunningDemo
from rest import routes
from rest.docs import GROUPS, document
from schema import sdl
from services.container import open_services
from services.settings import Settings
from tests.github import GOOD_TOKEN, GitHub
from tests.graphql_client import GraphQLClient, graphql_client
from tests.processes import environment_of, start_processes

RULES = Path(__file__).with_name("schemathesis")
SECONDS = 25
"""For a run of schemathesis."""


@pytest.mark.anyio
async def test_the_document_is_openapi_3_1_of_every_api(server: GraphQLClient) -> None:
    response = await server.http.get("/openapi.json")
    body = response.json()

    assert response.headers["content-type"] == "application/json"
    assert body["openapi"] == "3.1.0"
    assert body["servers"] == [{"url": "/"}]
    assert {"/v1/rank/{time}", "/v1/notifications/{client_id}", "/downloads/{id}/{name}"} <= set(body["paths"])
    assert {"/images/covers/{album_id}", "/api/database/{namespace}/{raw}", "/readyz"} <= set(body["paths"])
    assert set(body["paths"]["/api/database/{namespace}/{raw}"]) == {"get", "head", "post", "put", "delete"}


@pytest.mark.anyio
async def test_below_a_sub_path_the_document_names_it(server: GraphQLClient) -> None:
    headers = {"X-Forwarded-Prefix": "/comics"}

    body = (await server.http.get("/openapi.json", headers=headers)).json()
    page = (await server.http.get("/docs", headers=headers)).text

    assert body["servers"] == [{"url": "/comics"}]
    assert 'href="/comics/openapi.json"' in page


@pytest.mark.anyio
async def test_a_public_url_names_the_sub_path_too(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings(public_url="https://host.example/comics")) as server:
        body = (await server.http.get("/openapi.json")).json()

    assert body["servers"] == [{"url": "/comics"}]


def test_every_route_is_in_the_document() -> None:
    page = {"/", "/assets/{name}", "/manifest.webmanifest", "/sw.js"}
    undescribed = {*page, "/graphql", "/metrics", "/openapi.json", "/schema.graphql", "/docs"}
    all_routes = [*routes(_nothing, sdl), *(route for group in GROUPS for route in group.routes)]
    paths = {re.sub(r":\w+}", "}", path) for route in all_routes if (path := getattr(route, "path", ""))}

    missing = paths - set(document("/")["paths"]) - undescribed

    assert sorted(missing) == [
        "/api",
        "/api/{path}",
        "/opds/",
        "/opds/v2/",
        "/v1/{path}",
        "/ws/notifications/{client_id}",
    ]


def test_every_parameter_of_a_path_is_described() -> None:
    for path, operations in document("/")["paths"].items():
        for operation in operations.values():
            described = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
            assert described == set(re.findall(r"{(\w+)}", path))


def test_every_operation_has_a_unique_name_and_is_described() -> None:
    operations = [operation for path in document("/")["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]

    assert len(set(names)) == len(names) == sum(1 for group in GROUPS for _ in group.operations())
    assert all(operation["summary"] and operation["responses"] for operation in operations)
    assert all(parameter["description"] for operation in operations for parameter in operation["parameters"])


def test_every_type_is_defined_and_used() -> None:
    described = document("/")
    named = set(re.findall(r"#/components/schemas/(\w+)", repr(described)))

    assert named == set(described["components"]["schemas"])


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            assert name not in {"src", "style"}
            if name == "id":
                self.ids.append(str(value))
            if name == "href":
                self.links.append(str(value))


@pytest.mark.anyio
async def test_the_page_has_no_scripts_and_loads_nothing(server: GraphQLClient) -> None:
    response = await server.http.get("/docs")
    page = _Page()
    page.feed(response.text)

    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not page.tags & {"script", "link", "img", "iframe", "object", "form", "base"}
    assert len(set(page.ids)) == len(page.ids)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert [link for link in page.links if not link.startswith("#")][:3] == [
        "/openapi.json",
        "/schema.graphql",
        "/graphql",
    ]


@pytest.mark.anyio
async def test_every_get_that_the_page_offers_to_try_is_a_route_with_its_examples_filled_in(
    server: GraphQLClient,
) -> None:
    page = _Page()
    page.feed((await server.http.get("/docs")).text)
    tried = [link for link in page.links if link.startswith("/")][3:]

    statuses = {link: (await server.http.get(link)).status_code for link in tried if "wait=" not in link}

    assert statuses["/v1/rank/week"] == 200
    assert [status for link, status in statuses.items() if link.startswith("/images/covers/350234")] == [200]
    assert "/healthz" in statuses
    assert {link: status for link, status in statuses.items() if status in (400, 405, 422, 500)} == {}


@pytest.mark.anyio
async def test_the_schema_is_a_file_that_a_client_fetches_again_only_when_it_has_changed(
    server: GraphQLClient,
) -> None:
    first = await server.http.get("/schema.graphql")
    again = await server.http.get("/schema.graphql", headers={"If-None-Match": first.headers["etag"]})
    changed = await server.http.get("/schema.graphql", headers={"If-None-Match": '"other"'})

    assert (first.status_code, first.text) == (200, sdl())
    assert first.headers["content-type"] == "text/plain; charset=utf-8"
    assert (again.status_code, again.content) == (304, b"")
    assert (changed.status_code, changed.headers["etag"]) == (200, first.headers["etag"])


def test_no_response_contradicts_the_document(
    demo: RunningDemo, redis_url: str, github: GitHub, make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    environment = environment_of(demo, redis_url, tmp_path) | {"JMGRAPH_GITHUB_API_URL": github.url}

    with start_processes(environment, tmp_path, apis=1, workers=1) as running:
        token = asyncio.run(_access_token(make_settings(data_dir=tmp_path)))
        seen = _schemathesis(running.url(), tmp_path, token)

    assert seen.returncode == 0, seen.stdout[-20_000:]
    assert "No issues found" in seen.stdout


async def _access_token(settings: Settings) -> str:
    """Of somebody with an account of the site; unlike a session it outlives a logout."""
    async with open_services(settings) as services:
        user = (await services.site_accounts.sign_in("reader", "correct-horse", address="")).user
        return (await services.people.tokens.create_access_token(user, "schemathesis")).token


def _schemathesis(url: str, folder: Path, token: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(RULES / "schemathesis.toml")]
    headers = ["-H", f"X-Token: {GOOD_TOKEN}", "-H", f"Authorization: Bearer {token}"]
    run = ["run", f"{url}/openapi.json", *headers, "--max-time", str(SECONDS), "--no-shrink"]
    environment = {**os.environ, "PYTHONPATH": str(RULES), "SCHEMATHESIS_HOOKS": "hooks", "NO_COLOR": "1"}
    return subprocess.run([*command, *run], cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


async def _nothing(*_: Any) -> None:
    """Instead of `/graphql`."""
