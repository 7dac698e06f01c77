"""`python -m demo`: the demo site as a process. Prints its addresses as one line of JSON when it answers."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from demo.server import HOSTS_EACH, serve_demo


def main() -> int:
    """Runs until SIGINT or SIGTERM; 1 when the port is taken."""
    asked = _arguments()
    try:
        asyncio.run(_serve(asked.folder, asked.port, asked.hosts))
    except OSError as error:
        print(f"demo: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


async def _serve(folder: Path, port: int, hosts_each: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serve_demo(folder, port=port, hosts_each=hosts_each) as demo:
        print(json.dumps(demo.site.addresses() | {"dead": demo.dead_url}), flush=True)  # noqa: T201
        await stop.wait()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="first port; the other hosts take those after it")
    parser.add_argument("--folder", type=Path, default=Path("data/demo"), help="where pictures are kept")
    parser.add_argument("--hosts", type=int, default=HOSTS_EACH, help="hosts of each role")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
