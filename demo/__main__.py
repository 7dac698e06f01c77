"""`python -m demo`: the demo site as a process. Prints its addresses as one line of JSON once it is up."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from demo.server import HOSTS_EACH, serve_demo


def main() -> int:
    """Run until SIGINT or SIGTERM, with --until-stdin-closes until stdin closes; 1 when a port is in use."""
    arguments = _arguments()
    try:
        asyncio.run(_serve(arguments))
    except OSError as error:
        print(f"demo: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


async def _serve(arguments: argparse.Namespace) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if arguments.until_stdin_closes:
        loop.add_reader(sys.stdin, _set_at_end_of_stdin, stop)
    async with serve_demo(arguments.folder, port=arguments.port, hosts_each=arguments.hosts) as demo:
        print(json.dumps(demo.site.addresses() | {"dead": demo.dead_url}), flush=True)  # noqa: T201
        await stop.wait()


def _set_at_end_of_stdin(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin)
        stop.set()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="first port; the other hosts use the ports after it")
    parser.add_argument("--folder", type=Path, default=Path("data/demo"), help="where pictures are kept")
    parser.add_argument("--hosts", type=int, default=HOSTS_EACH, help="hosts of each role")
    parser.add_argument(
        "--until-stdin-closes",
        action="store_true",
        help="end when the pipe on stdin closes, which it does however the parent process dies",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
