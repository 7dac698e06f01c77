"""Misbehaving WebSocket clients are answered, or disconnected after a time limit."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from websockets.sync.client import connect

from commands.serve import WebSocketProtocol
from tests.waiting import wait_until

LONG_BYTES = 64 << 20
"""More than all buffers between two ends of a loopback connection."""

HANDSHAKE = (
    b"Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class ShortTimeoutProtocol(WebSocketProtocol):
    """The same with a short time limit."""

    abort_after_s = 0.2


async def _flood(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "bytes": b"\0" * LONG_BYTES})


async def _wait(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


@contextmanager
def _served(app: Any, **options: Any) -> Iterator[uvicorn.Server]:
    usual: dict[str, Any] = {"port": 0, "lifespan": "off", "log_level": "error", "ws_per_message_deflate": False}
    server = uvicorn.Server(uvicorn.Config(app, ws=ShortTimeoutProtocol, **(usual | options)))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    try:
        yield server
    finally:
        server.should_exit = True
        thread.join()


def _port(server: uvicorn.Server) -> int:
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return port


def test_a_handshake_too_long_to_be_read_is_refused_at_once() -> None:
    with _served(_wait) as server, socket.create_connection(("127.0.0.1", _port(server)), timeout=30) as client:
        client.sendall(b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\n" + HANDSHAKE)
        answer = b"".join(iter(lambda: client.recv(65536), b""))

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert body.startswith(b'{"detail":')


def test_a_client_that_no_longer_reads_is_disconnected_when_its_socket_is_closed() -> None:
    with (
        _served(_flood) as server,
        socket.create_connection(("127.0.0.1", _port(server)), timeout=30) as client,
    ):
        client.sendall(b"GET / HTTP/1.1\r\n" + HANDSHAKE)
        assert client.recv(12) == b"HTTP/1.1 101"

        wait_until(lambda: not server.server_state.connections)


def test_a_client_that_answers_no_ping_is_disconnected() -> None:
    with (
        _served(_wait, ws_ping_interval=0.05, ws_ping_timeout=0.05) as server,
        socket.create_connection(("127.0.0.1", _port(server)), timeout=30) as client,
    ):
        client.sendall(b"GET / HTTP/1.1\r\n" + HANDSHAKE)
        answer = b"".join(iter(lambda: client.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 101 ")
    assert answer.endswith(b"keepalive ping timeout")


def test_a_client_that_answers_pings_stays_connected() -> None:
    with (
        _served(_wait, ws_ping_interval=0.02, ws_ping_timeout=5.0) as server,
        connect(f"ws://127.0.0.1:{_port(server)}/") as client,
    ):
        for _ in range(20):
            assert client.ping().wait(30)
        assert len(server.server_state.connections) == 1
        client.close()

    assert client.close_code == 1000
