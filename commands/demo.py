"""`jmgraph demo`: an `up` on the built-in sample site."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from commands.server_file import demo_data_dir
from commands.up import up
from services.errors import ConfigurationError
from services.settings import Settings

SAMPLE_ALBUM = "350234"
"""A usual album of the sample site: 24 scrambled pages."""


@asynccontextmanager
async def demo_site(folder: Path) -> AsyncIterator[dict[str, str]]:
    """The sample site in a process of its own; yields the environment that points a server at it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        *("-m", "demo", "--port", "0", "--folder", str(folder), "--until-stdin-closes"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        process_group=0,
    )
    try:
        yield _environment(await _addresses(process))
    finally:
        if process.stdin:
            process.stdin.close()
        await process.wait()


async def _addresses(process: asyncio.subprocess.Process) -> dict[str, Any]:
    line = await process.stdout.readline() if process.stdout else b""
    if not line:
        raise ConfigurationError("the sample site did not start; its output is above")
    addresses: dict[str, Any] = json.loads(line)
    return addresses


def _environment(addresses: dict[str, Any]) -> dict[str, str]:
    return {
        "JMGRAPH_JM_API_URLS": ",".join(addresses["api"]),
        "JMGRAPH_JM_HTML_URLS": ",".join(addresses["html"]),
        "JMGRAPH_JM_IMAGE_URLS": ",".join(addresses["image"]),
    }


def _limits(settings: Settings) -> dict[str, str]:
    """No limits of clients but those that are set: the sample site is called as often as anybody likes."""
    names = {"client_rate": "JMGRAPH_CLIENT_RATE", "client_site_rate": "JMGRAPH_CLIENT_SITE_RATE"}
    return {variable: "0" for name, variable in names.items() if name not in settings.model_fields_set}


WELCOME = """\
jmgraph demo: made-up comics from a sample site on this machine. Ctrl-C ends everything.

{addresses}
Three things to try, here or in GraphiQL:

  1. A ranking with translated tags
     curl -s {base}/graphql -H 'Content-Type: application/json' -d '{{"query":"{{ ranking {{ entries {{ rank \
album {{ title tags {{ name translation {{ name }} }} }} }} }} }}"}}'

  2. Start a download
     curl -s {base}/graphql -H 'Content-Type: application/json' -d '{{"query":"mutation {{ startDownload(input: \
{{ albumId: \\"{album}\\", archive: CBZ }}) {{ ... on Download {{ id state }} }} }}"}}'

  3. Watch downloads live (Ctrl-C ends it)
     curl -sN {base}/graphql -H 'Content-Type: application/json' -H 'Accept: text/event-stream' -d '{{"query":\
"subscription {{ downloadFeed(states: [QUEUED, RUNNING, PACKING, READY]) {{ downloads {{ title state progress \
{{ percent }} file {{ url }} }} }} }}"}}'
"""


def welcome(base: str, addresses: str) -> str:
    """The first output of the demo."""
    return WELCOME.format(base=base, addresses=addresses, album=SAMPLE_ALBUM)


async def run_demo(settings: Settings) -> int:
    """The sample site, then an `up` on it; gives the exit code."""
    data_dir = demo_data_dir(settings).resolve()
    own = settings.model_copy(update={"data_dir": data_dir})
    async with demo_site(data_dir / "site") as site:
        environment = {**site, **_limits(settings), "JMGRAPH_DATA_DIR": str(data_dir)}
        return await up(own, environment, welcome)
