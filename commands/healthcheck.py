"""Asks the API of this machine whether it is alive, for a container's health check; exit code 0 when it is."""

from __future__ import annotations

import http.client
import os
import sys

TIMEOUT_S = 4.0
"""Under the five seconds that the image gives its health check."""


def main() -> int:
    """`GET /healthz` on loopback, past every proxy; imports nothing of ours, since it runs often."""
    port = int(os.environ.get("JMGRAPH_PORT") or 11111)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/healthz")
        return 0 if connection.getresponse().status == 200 else 1
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
