"""GitHub's push webhook."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from services.settings import read_settings
from tests.tag_repositories import FILES, MakeTagRepository, TagRepository
from tests.tag_site import SECRET, Site, etag_of

pytestmark = pytest.mark.anyio


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}", "X-GitHub-Event": "push"}


async def test_a_push_moves_the_head_to_the_remote_s(tag_site: Site, make_tag_repository: MakeTagRepository) -> None:
    remote = TagRepository(tag_site.repository.folder.parent / "remote")
    tag_site.repository.git("clone", "-q", "--bare", str(tag_site.repository.folder), str(remote.folder))
    tag_site.repository.git("remote", "add", "origin", str(remote.folder))
    sha = remote.commit({"database/other.md": FILES["database/other.md"].replace("火车".encode(), "列车".encode())})
    body = json.dumps({"ref": "refs/heads/master", "commits": ["x" * 100_000]}).encode()

    answer = await tag_site.ask("POST", "/database/~update-webhook", content=body, headers=signed(body))

    assert answer.status_code == 200
    assert answer.json() == {"event": "push", "outcome": "MOVED", "sha": sha}
    assert etag_of(answer) == sha == tag_site.repository.head
    record = await tag_site.ask("GET", "/database/other/train?format=raw.json")
    assert record.json()["name"] == "列车"


async def test_a_ping_is_only_acknowledged(tag_site: Site) -> None:
    answer = await tag_site.ask(
        "POST", "/database/~update-webhook", content=b"{}", headers={**signed(b"{}"), "X-GitHub-Event": "ping"}
    )

    assert answer.json() == {"event": "ping", "outcome": "IGNORED", "sha": tag_site.repository.head}


@pytest.mark.parametrize(
    "headers",
    [{}, signed(b"{}", "wrong"), {"X-Hub-Signature-256": "sha256="}, {"X-Hub-Signature-256": "nonsense"}],
)
async def test_a_webhook_with_a_wrong_signature_is_refused(tag_site: Site, headers: dict[str, str]) -> None:
    answer = await tag_site.ask("POST", "/database/~update-webhook", content=b"{}", headers=headers)

    assert answer.status_code == 401


async def test_without_a_secret_there_is_no_webhook(tag_site: Site) -> None:
    tag_site.services.settings = read_settings(ehtag_webhook_secret="")

    answer = await tag_site.ask("POST", "/database/~update-webhook", content=b"{}", headers=signed(b"{}"))

    assert answer.status_code == 404
    assert etag_of(answer) == tag_site.repository.head
