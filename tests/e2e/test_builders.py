"""What front-end authors build on: the examples, the typed clients and their tools, against a real server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import redis

from demo.server import RunningDemo
from tests.processes import Processes, environment_of, start_processes

ROOT = Path(__file__).resolve().parents[2]
CODEGEN = ROOT / "build" / "codegen"
"""Where `make clients` installs ariadne-codegen, whose graphql-core is another than ours."""

pytestmark = pytest.mark.skipif(
    not (ROOT / "node_modules" / "graphql").is_dir() or not CODEGEN.is_dir() or not shutil.which("node"),
    reason="the tools are not installed: make clients",
)


@pytest.fixture(scope="module")
def server(demo_site: RunningDemo, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """One API process and one worker on the demo site, for all tests here; each finds what others have downloaded."""
    demo_site.reset()
    folder = tmp_path_factory.mktemp("server")
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
    with start_processes(environment_of(demo_site, valkey_url, folder), folder, apis=1, workers=1) as processes:
        yield processes


def output(*words: str, **environment: str) -> str:
    """Stdout of a program that must succeed, run at the root."""
    done = subprocess.run(
        words, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def compiled() -> None:
    """The client and the examples in TypeScript, checked and compiled."""
    output("npm", "run", "--silent", "build")


def test_the_clients_are_what_the_schema_generates(tmp_path: Path) -> None:
    folders = ("clients/typescript/src/generated", "clients/python/jmgraph_client")
    shutil.copytree(ROOT / "clients", tmp_path / "clients", ignore=shutil.ignore_patterns("node_modules", "dist"))
    shutil.copy(ROOT / "schema.graphql", tmp_path)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    for folder in folders:
        shutil.rmtree(tmp_path / folder)

    _generate(tmp_path)

    for folder in folders:
        committed = {path.name: path.read_text("utf-8") for path in (ROOT / folder).glob("*.*")}
        generated = {path.name: path.read_text("utf-8") for path in (tmp_path / folder).glob("*.*")}
        assert generated == committed, "run `make clients`"


def _generate(root: Path) -> None:
    for words in (
        ["node_modules/.bin/graphql-codegen", "--config", "clients/typescript/codegen.yml"],
        [sys.executable, "-m", "ariadne_codegen", "--config", "clients/python/pyproject.toml", "client"],
    ):
        environment = {**os.environ, "PYTHONPATH": str(CODEGEN)}
        done = subprocess.run(words, cwd=root, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_document_of_the_clients_and_examples_is_valid() -> None:
    assert "All documents are valid" in output("npm", "run", "--silent", "validate")


@pytest.mark.usefixtures("compiled")
def test_the_urql_example_tells_every_refusal_and_follows_a_download_to_its_file(server: Processes) -> None:
    lines = output("node", "examples/typescript/dist/download.js", server.url()).splitlines()

    assert [line.partition(".")[0] for line in lines[:3]] == ["1", "2", "3"]
    assert lines[3].startswith("Check albumId: ")
    assert lines[4] == "There is no album 999999999."
    assert lines[5].partition(": ")[2] == lines[0].removeprefix("1. ")
    assert httpx.get(lines[-1]).status_code == 200


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("transport", ["sse", "websocket"])
def test_the_client_watches_eight_downloads_on_one_connection(server: Processes, transport: str) -> None:
    states = output("node", "examples/typescript/dist/live.js", server.url(), transport).split()

    assert states == ["READY"] * 8


def test_the_python_example_follows_a_download_to_its_file(server: Processes) -> None:
    lines = output(
        sys.executable, "examples/python/download.py", server.url(), PYTHONPATH=str(ROOT / "clients" / "python")
    ).splitlines()

    assert lines[3] == "NOT_FOUND: Album not found: id=999999999"
    assert httpx.get(lines[-1]).status_code == 200


def test_the_python_client_raises_what_the_server_refuses(server: Processes) -> None:
    program = """
        import asyncio, sys
        from jmgraph_client import JmgraphClient
        from jmgraph_client.base_client import GraphQLError
        from websockets import ConnectionClosed

        async def main(url):
            async with JmgraphClient(url, token="jmg_wrong") as client:
                try:
                    await client.viewer()
                except GraphQLError as refused:
                    print(refused.codes)
                try:
                    async for _ in client.download_feed():
                        print("an event")
                except ConnectionClosed as refused:
                    print(refused.rcvd.code)

        asyncio.run(main(sys.argv[1]))
    """

    printed = output(
        *(sys.executable, "-c", textwrap.dedent(program), server.url()), PYTHONPATH=str(ROOT / "clients" / "python")
    )

    assert printed.splitlines() == ["['UNAUTHENTICATED']", "4403"]


def test_the_curl_example_ends_with_an_archive_and_an_unchanged_schema(server: Processes) -> None:
    lines = output("sh", "examples/curl.sh", server.url()).splitlines()

    assert re.fullmatch(r"200 \d+ bytes", lines[-3])
    assert lines[-1] == "304"


def test_the_shortcut_gets_its_file_by_the_calls_that_the_recipe_names(server: Processes) -> None:
    recipe = (ROOT / "examples" / "shortcuts.md").read_text("utf-8")
    calls = re.findall(r"`(GET|POST) (/v1/\S+)`", recipe)
    known = {"client_id": "my-shortcut", "album_id": "350234", "file_name": ""}

    for method, template in calls:
        path = re.sub(r"{(\w+)}", lambda found: known[found[1]], template)
        body = {"client_id": "my-shortcut"} if method == "POST" else None
        response = httpx.request(method, server.url() + path, json=body, timeout=60)
        assert response.status_code in (200, 202), (path, response.text)
        if "notifications" in path:
            known["file_name"] = response.json()[0]["file_name"]

    assert [template.split("/")[2].partition("?")[0] for _, template in calls] == [
        "info",
        "download",
        "notifications",
        "download",
    ]
    assert response.headers["content-type"] == "application/zip"


def test_all_audits_of_graphql_over_http_hold(server: Processes) -> None:
    program = """
        import { auditServer } from "graphql-http";
        const results = await auditServer({ url: process.argv[1] + "/graphql" });
        console.log(JSON.stringify(results.map(({ name, status }) => [name, status])));
    """

    results = json.loads(output("node", "--input-type=module", "-e", program, server.url()))

    assert len(results) == 61
    assert [name for name, status in results if status != "ok"] == []
