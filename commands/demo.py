"""`jmgraph demo`: an `up` on the built-in sample site."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from commands.up import api_and_worker, up
from services.errors import ConfigurationError
from services.settings import Settings

SAMPLE_ALBUM = "350234"
"""A usual album of the sample site: 24 scrambled pages."""

START_S = 60
"""More than the sample site ever takes to listen."""


@contextmanager
def demo_site(folder: Path) -> Iterator[dict[str, str]]:
    """The sample site in a process of its own; gives the environment that points a server at it."""
    process = subprocess.Popen(  # noqa: S603 (our own module)
        [sys.executable, "-m", "demo", "--port", "0", "--folder", str(folder), "--until-stdin-closes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield _environment(_addresses(process))
    finally:
        if process.stdin:
            process.stdin.close()
        process.terminate()
        process.wait(timeout=START_S)


def _addresses(process: subprocess.Popen[str]) -> dict[str, Any]:
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise ConfigurationError("the sample site did not start; its words are above")
    addresses: dict[str, Any] = json.loads(line)
    return addresses


def _environment(addresses: dict[str, Any]) -> dict[str, str]:
    return {
        "JMGRAPH_JM_API_URLS": ",".join(addresses["api"]),
        "JMGRAPH_JM_HTML_URLS": ",".join(addresses["html"]),
        "JMGRAPH_JM_IMAGE_URLS": ",".join(addresses["image"]),
    }


def demo_data_dir(settings: Settings) -> Path:
    """Where the demo keeps its data: the setting, else a folder of its own under the default."""
    return settings.data_dir if "JMGRAPH_DATA_DIR" in os.environ else settings.data_dir / "demo"


WELCOME = """\
jmgraph demo: made-up comics from a sample site on this machine. Ctrl-C ends everything.

  page      {base}/
  GraphiQL  {base}/graphql

Three things to try, here or in GraphiQL:

  1. A ranking with translated tags
     curl -s {base}/graphql -H 'Content-Type: application/json' -d '{{"query":"{{ ranking {{ entries {{ rank \
album {{ title tags {{ name translation {{ name }} }} }} }} }} }}"}}'

  2. Start a download
     curl -s {base}/graphql -H 'Content-Type: application/json' -d '{{"query":"mutation {{ startDownload(input: \
{{ albumId: \\"{album}\\", archive: CBZ }}) {{ ... on Download {{ id state }} }} }}"}}'

  3. Watch it (put the id of step 2 in)
     curl -sN {base}/graphql -H 'Content-Type: application/json' -H 'Accept: text/event-stream' -d '{{"query":\
"subscription {{ downloadStatus(id: \\"ID\\") {{ revision state progress {{ percent }} file {{ url }} }} }}"}}'
"""


def welcome(settings: Settings, album_id: str) -> str:
    """What a newcomer reads first."""
    host = "localhost" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
    base = settings.public_url or f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    return WELCOME.format(base=base, album=album_id)


def run_demo(settings: Settings) -> int:
    """The sample site, then an `up` on it; gives the exit code."""
    data_dir = demo_data_dir(settings).resolve()
    own = settings.model_copy(update={"data_dir": data_dir})
    with demo_site(data_dir / "site") as site:
        environment = {**site, "JMGRAPH_DATA_DIR": str(data_dir)}
        print(welcome(settings, SAMPLE_ALBUM), flush=True)  # noqa: T201 (the answer of this command)
        return asyncio.run(up(own, api_and_worker(environment)))
