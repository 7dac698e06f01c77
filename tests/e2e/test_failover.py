"""The master of Redis is lost under load: downloads and subscriptions go on with the next one."""

from __future__ import annotations

import asyncio
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from demo.server import RunningDemo
from tests.e2e.conftest import Environ
from tests.e2e.test_several import states_over_socket, states_over_sse
from tests.e2e_processes import ask, command, wait_until_ready
from tests.redis_servers import sentinels
from tests.waiting import DEADLINE_S, until

pytestmark = pytest.mark.anyio

START = 'mutation { startDownload(input: { albumId: "%s" }) { ... on Download { id } ... on Error { code } } }'
STATES = "{ downloads(first: 50) { edges { node { id state } } } }"


async def test_no_download_and_no_subscription_is_lost_with_the_master(
    environ: Environ, tmp_path: Path, demo: RunningDemo
) -> None:
    demo.knobs.set("image", latency_s=0.1)
    with ExitStack() as stack:
        running = stack.enter_context(sentinels(tmp_path / "redis"))
        settings = environ(JMGRAPH_REDIS_URL=running.url)
        api = stack.enter_context(command(tmp_path / "api", "serve", **settings))
        stack.enter_context(command(tmp_path / "worker", "worker", **settings))
        wait_until_ready(api)

        async def start(album: str) -> str:
            answers: list[dict[str, Any]] = []

            def is_accepted() -> bool:
                answers.append(ask(api.base, START % album)["startDownload"])
                return "id" in answers[-1]

            await until(is_accepted)
            return str(answers[-1]["id"])

        ids = [await start(album) for album in ("163348", "240117", "350234")]
        watchers = [asyncio.create_task(watch(api.base, id)) for id in ids for watch in WATCHERS]
        await until(lambda: "RUNNING" in {node["state"] for node in nodes(api.base)})
        await until(running.is_replicated)
        lost = running.master()

        lost.process.send_signal(signal.SIGKILL)
        ids.append(await start("302166"))
        seen = await asyncio.gather(*watchers)

        assert running.master() != lost
        assert [states[-1] for states in seen] == ["READY"] * 6
        await until(lambda: {node["state"] for node in nodes(api.base)} == {"READY"}, 2 * DEADLINE_S)
        assert {node["id"] for node in nodes(api.base)} == set(ids)


WATCHERS = (states_over_sse, states_over_socket)


def nodes(base: str) -> list[dict[str, Any]]:
    """All downloads that the API tells of, as it answers now."""
    edges = ask(base, STATES)["downloads"]["edges"]
    return [edge["node"] for edge in edges]
