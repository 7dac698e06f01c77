"""The two-step download over several API processes and workers on one Valkey."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from services.connection_limit import MAX_CONNECTIONS
from tests.processes import Processes

pytestmark = pytest.mark.anyio

DEADLINE_S = 30
MISSING = "900404"
NO_SUCH_ALBUM = {"status": "error", "file_name": "", "message": "下载任务失败: Album not found"}


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A client of any of the processes."""
    async with httpx.AsyncClient(timeout=60) as client:
        yield client


async def _start(http: httpx.AsyncClient, url: str, album: str, client_id: str) -> None:
    response = await http.post(f"{url}/v1/download/album/{album}", json={"client_id": client_id})
    assert response.status_code == 202


async def _ready(http: httpx.AsyncClient, url: str, album: str) -> str:
    """Name of the file of an album, once it is ready."""
    response = await http.get(f"{url}/v1/download/album/{album}?client_id=somebody-else&wait=60")
    assert response.status_code == 200
    name: str = response.json()["file_name"]
    return name


async def _receive(websocket: ClientConnection) -> Any:
    async with asyncio.timeout(DEADLINE_S):
        return json.loads(await websocket.recv())


def _ready_message(name: str) -> dict[str, str]:
    return {"status": "download_ready", "file_name": name, "message": f"文件 '{name}' 已完成处理，可以下载。"}


async def _pending(http: httpx.AsyncClient, url: str, client_id: str) -> Any:
    return (await http.get(f"{url}/v1/notifications/{client_id}?wait=0")).json()


async def test_a_notification_reaches_its_client_on_any_process_and_the_socket_stays_open(
    running: Processes, http: httpx.AsyncClient
) -> None:
    async with (
        connect(running.socket_url("phone", 0)) as first_socket,
        connect(running.socket_url("phone", 1)) as second_socket,
    ):
        for album, asked_at in (("163348", 1), ("240117", 0)):
            await _start(http, running.url(asked_at), album, "phone")
            first, second = await _receive(first_socket), await _receive(second_socket)
            name = first["file_name"]
            assert first == second == _ready_message(name)

            file = await http.get(f"{running.url(1 - asked_at)}/v1/download/{quote(name)}")
            assert int(file.headers["content-length"]) == len(file.content)
            assert zipfile.ZipFile(io.BytesIO(file.content)).testzip() is None

    assert await _pending(http, running.url(0), "phone") == []


async def test_a_notification_waits_for_its_client_and_is_delivered_once(
    running: Processes, http: httpx.AsyncClient
) -> None:
    await _start(http, running.url(0), "302166", "late")
    name = await _ready(http, running.url(1), "302166")

    async with connect(running.socket_url("late", 1)) as websocket:
        assert await _receive(websocket) == _ready_message(name)

    assert await _pending(http, running.url(0), "late") == []


async def test_a_client_that_lost_its_socket_gets_the_notification_when_it_reconnects(
    running: Processes, http: httpx.AsyncClient
) -> None:
    lost = await connect(running.socket_url("wanderer", 0))
    lost.transport.abort()
    await _start(http, running.url(0), "163348", "wanderer")
    name = await _ready(http, running.url(0), "163348")

    async with connect(running.socket_url("wanderer", 1)) as back:
        assert await _receive(back) == _ready_message(name)


async def test_a_client_that_does_not_read_blocks_nobody(running: Processes, http: httpx.AsyncClient) -> None:
    not_reading = await connect(running.socket_url("crowd", 0), max_queue=1)
    not_reading.transport.pause_reading()
    async with connect(running.socket_url("crowd", 0)) as reading:
        for _ in range(30):
            await _start(http, running.url(1), MISSING, "crowd")
        assert [await _receive(reading) for _ in range(30)] == [NO_SUCH_ALBUM] * 30
    not_reading.transport.abort()


async def test_a_client_has_twenty_sockets_over_all_processes_and_the_oldest_is_closed_first(
    running: Processes,
) -> None:
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(connect(running.socket_url("many", number % 2)))
            for number in range(MAX_CONNECTIONS + 180)
        ]
        async with asyncio.timeout(DEADLINE_S):
            for oldest in sockets[:180]:
                with pytest.raises(ConnectionClosed):
                    await oldest.recv()
            assert {oldest.close_code for oldest in sockets[:180]} == {1008}
            for newest in sockets[180:]:
                await (await newest.ping())


@pytest.mark.parametrize(
    "client_id", ["a b", "手錶", "a/b", "../up", "..", "100%", "?x=1#y", "🏔\u200d", " ", "x" * 200]
)
async def test_a_client_id_may_be_any_printable_text(
    running: Processes, http: httpx.AsyncClient, client_id: str
) -> None:
    async with connect(running.socket_url(quote(client_id, safe=""), 0)) as websocket:
        await _start(http, running.url(1), MISSING, client_id)

        assert await _receive(websocket) == NO_SUCH_ALBUM


@pytest.mark.parametrize("client_id", ["", "%00", "a%0Ab", "x" * 201])
async def test_an_invalid_client_id_is_refused_in_the_handshake(
    running: Processes, http: httpx.AsyncClient, client_id: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(running.socket_url(client_id))
    polled = await http.get(f"{running.url()}/v1/notifications/{client_id}?wait=0")

    assert refused.value.response.status_code == 400
    assert polled.status_code == 400
    assert list(json.loads(refused.value.response.body or b"")) == ["detail"] == list(polled.json())


async def test_a_client_id_of_ten_thousand_characters_is_refused(running: Processes) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(running.socket_url("x" * 10_000))

    assert refused.value.response.status_code == 400


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/download/../../etc/passwd", 400),
        ("/v1/download/..%2f..%2fetc%2fpasswd", 400),
        ("/v1/download/%2e%2e", 400),
        ("/v1/download/a%00b", 400),
        ("/v1/download/a%0Ab", 400),
        ("/v1/download/%ff%fe", 404),
        ("/v1/download/" + "x" * 10_000, 400),
        ("/v1/info/../350234", 404),
        ("/v1/info/%00", 404),
        ("/v1/info/%D9%A3%D9%A5%D9%A0", 404),
        ("/v1/get/cover/..%2f..%2fetc", 400),
        ("/v1/get/cover/%00", 400),
        ("/v1/get/cover/a%0Ab", 400),
        ("/v1/search/%00/1", 400),
        ("/v1/search/%2e%2e%2f%2e%2e/1", 200),
        ("/v1/search/a/%d9%a3", 400),
        ("/v1/%00", 422),
        ("/v1//", 404),
        ("/downloads/../..", 404),
        ("/downloads/%00/%00", 404),
        ("/images/covers/%2e%2e", 400),
        ("/images/pages/1/%d9%a3", 400),
    ],
)
async def test_an_unusual_path_gets_a_clean_response(running: Processes, path: str, status: int) -> None:
    answer = await asyncio.to_thread(_ask_plainly, running.ports[0], f"GET {path} HTTP/1.1".encode())

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split()[1] == str(status).encode()
    assert b"application/json" in head.lower()
    json.loads(body)


async def test_a_socket_at_an_unknown_host_is_refused_with_the_setting_named(running: Processes) -> None:
    connection = socket.create_connection(("127.0.0.1", running.ports[0]), timeout=DEADLINE_S)

    with connection, pytest.raises(InvalidStatus) as refused:
        await connect("ws://rebound.example/ws/notifications/phone", sock=connection, proxy=None)

    assert refused.value.response.status_code == 400
    assert json.loads(refused.value.response.body) == {
        "code": "BAD_REQUEST",
        "message": "This host name is not answered here; JMGRAPH_ALLOWED_HOSTS adds it.",
        "retryable": False,
    }


def _ask_plainly(port: int, request_line: bytes) -> bytes:
    """The whole response to a request that no client library would send."""
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as plain:
        plain.sendall(request_line + b"\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        parts = []
        while part := plain.recv(65536):
            parts.append(part)
    return b"".join(parts)


async def test_a_body_of_a_megabyte_is_refused_however_it_comes(running: Processes, http: httpx.AsyncClient) -> None:
    async def in_parts() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b" " * (1 << 14)

    url = f"{running.url()}/v1/download/album/350234"
    whole = await http.post(url, content=b" " * (1 << 20))
    parts = await http.post(url, content=in_parts())

    assert (whole.status_code, parts.status_code) == (400, 400)
    assert list(whole.json()) == list(parts.json()) == ["detail"]
