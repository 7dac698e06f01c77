"""The EhTag API over one small repository, for its tests."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from rest.ehtag import routes
from services.ehtag import EditorRules, open_identity, open_tag_database
from services.settings import Settings, read_settings
from tests.github import GOOD_TOKEN, GitHub
from tests.tag_repositories import MakeTagRepository, TagRepository

SECRET = "webhook secret"
HAT = {"name": "高帽", "intro": "见`apron`。", "links": ""}
FULL_HAT: dict[str, Any] = {
    "name": {
        "raw": "高帽",
        "text": "高帽",
        "html": "<p>高帽</p>",
        "ast": [{"type": "paragraph", "content": [{"type": "text", "text": "高帽"}]}],
    },
    "intro": {
        "raw": "见`apron`。",
        "text": "见围裙(apron)。",
        "html": '<p>见<abbr title="apron" ns="female">围裙</abbr>。</p>',
        "ast": [
            {
                "type": "paragraph",
                "content": [
                    {"type": "text", "text": "见"},
                    {"type": "tagref", "text": "围裙", "tag": "apron", "ns": "female"},
                    {"type": "text", "text": "。"},
                ],
            }
        ],
    },
    "links": {"raw": "", "text": "", "html": "", "ast": []},
}


class EhtagApi:
    """The API over one repository."""

    def __init__(self, client: httpx.AsyncClient, repository: TagRepository, github: GitHub, services: Any) -> None:
        self.client = client
        self.repository = repository
        self.github = github
        self.services = services

    async def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return await self.client.request(method, f"/api{path}", **more)

    async def edit(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """A write with a valid token over the newest version; header names have underscores."""
        known = {"If-Match": f'"{self.repository.head}"', "X-Token": GOOD_TOKEN}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.request(method, path, headers=known | given, content=json.dumps(body) if body else None)


@pytest.fixture
async def ehtag_api(
    tmp_path: Path, make_tag_repository: MakeTagRepository, github: GitHub
) -> AsyncIterator[EhtagApi]:
    """The API over a bare repository, with a GitHub of its own."""
    repository = make_tag_repository()
    settings = read_settings(
        data_dir=tmp_path / "data", ehtag_repository=repository.folder, ehtag_webhook_secret=SECRET
    )
    async with open_ehtag_api(settings, repository, github) as api:
        yield api


@asynccontextmanager
async def open_ehtag_api(
    settings: Settings, repository: TagRepository, github: GitHub, rules: EditorRules | None = None
) -> AsyncIterator[EhtagApi]:
    """The API of these settings; `repository` is the one that its edits are made in."""
    async with open_tag_database(settings) as tags, open_identity(github.url, rules or EditorRules()) as identity:
        app = Starlette(routes=routes)
        app.state.services = SimpleNamespace(tags=tags, identity=identity, settings=settings)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://tags.test") as client:
            yield EhtagApi(client, repository, github, app.state.services)


def etag_of(answer: httpx.Response) -> str:
    return answer.headers["etag"].strip('"')
