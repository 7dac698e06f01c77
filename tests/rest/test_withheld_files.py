"""A file that was made before its album was withheld."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.downloads import ArchiveFormat, DownloadRequest
from services.settings import Settings
from tests.graphql_client import graphql_client, running_worker

pytestmark = pytest.mark.anyio


async def test_a_finished_file_is_gone_once_its_album_is_withheld(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings()) as server:
        started = await server.services.downloads.start(DownloadRequest("900451", archive=ArchiveFormat.ZIP))
        async with running_worker(server.services):
            async for download in server.services.downloads.watch(started.id):
                last = download
        assert last.file is not None
        path = f"/downloads/{last.id}/{last.file.name}"
        open_answer = await server.http.get(path)

    async with graphql_client(make_settings(blocked_tags="測試封鎖")) as server:
        answers = [
            await server.http.get(url) for url in (path, f"/v1/download/{last.file.name.removesuffix('.zip')}")
        ]

    assert open_answer.status_code == 200
    assert [answer.status_code for answer in answers] == [404, 404]
