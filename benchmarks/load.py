"""A load generator: connections that each repeat one request as soon as its response is complete.

In a process of its own and with minimal HTTP/1.1, so that its own cost is not what is measured. Run as
`python -m benchmarks.load HOST PORT SECONDS CONNECTIONS`, the request's bytes on stdin; prints one JSON line.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """Result of a run; latencies in milliseconds."""

    requests_per_s: float
    p50_ms: float
    p95_ms: float
    failures: int
    body_bytes: int


class _Connection(asyncio.Protocol):
    """One connection."""

    def __init__(self, request: bytes, ends_at: float, done: asyncio.Future[None]) -> None:
        self._request = request
        self._ends_at = ends_at
        self.done = done
        self._head = bytearray()
        self._left = -1
        self._began = 0.0
        self.took_s: list[float] = []
        self.failures = 0
        self.body_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Count until the response is complete."""
        if self._left < 0:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            length = self._head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]
            self.body_bytes = int(length)
            self.failures += self._head[9:12] != b"200"
            self._left = self.body_bytes - (len(self._head) - end - 4)
        else:
            self._left -= len(data)
        if self._left == 0:
            self._finish()

    def _finish(self) -> None:
        now = time.perf_counter()
        self.took_s.append(now - self._began)
        self._head.clear()
        self._left = -1
        if now < self._ends_at:
            self._send()
        elif not self.done.done():
            self._transport.close()
            self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """A connection that breaks counts as a failure."""
        if not self.done.done():
            self.failures += 1
            self.done.set_result(None)


async def _run(host: str, port: int, seconds: float, connections: int, request: bytes) -> Load:
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    opened = []
    for _ in range(connections):
        connection = _Connection(request, began + seconds, loop.create_future())
        await loop.create_connection(lambda connection=connection: connection, host, port)  # type: ignore[misc]
        opened.append(connection)
    await asyncio.gather(*(connection.done for connection in opened))
    took = time.perf_counter() - began
    all_s = sorted(s for connection in opened for s in connection.took_s)
    return Load(
        requests_per_s=len(all_s) / took,
        p50_ms=_percentile(all_s, 0.50),
        p95_ms=_percentile(all_s, 0.95),
        failures=sum(connection.failures for connection in opened),
        body_bytes=opened[0].body_bytes,
    )


def _percentile(sorted_s: list[float], share: float) -> float:
    return sorted_s[min(len(sorted_s) - 1, int(len(sorted_s) * share))] * 1000 if sorted_s else 0.0


def get(path: str, **headers: str) -> bytes:
    """A GET request's bytes."""
    return _request("GET", path, b"", headers)


def post_json(path: str, body: object, **headers: str) -> bytes:
    """A POST request's bytes."""
    return _request("POST", path, json.dumps(body).encode(), {"content_type": "application/json", **headers})


def _request(method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def load(address: tuple[str, int], request: bytes, *, seconds: float = 4.0, connections: int = 32) -> Load:
    """Load a server from a process of its own, after a second of warm-up."""
    for span in (1.0, seconds):
        arguments = [address[0], str(address[1]), str(span), str(connections)]
        command = [sys.executable, "-m", "benchmarks.load", *arguments]
        done = subprocess.run(command, input=request, capture_output=True, check=True)
    return Load(**json.loads(done.stdout))


def main() -> None:
    """The load process."""
    host, port, seconds, connections = sys.argv[1:]
    result = asyncio.run(_run(host, int(port), float(seconds), int(connections), sys.stdin.buffer.read()))
    print(json.dumps({name: getattr(result, name) for name in Load.__slots__}))


if __name__ == "__main__":
    main()
