"""GitHub's push webhook."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from services.settings import read_settings
from tests.ehtag_api import SECRET, EhtagApi, etag_of
from tests.tag_repositories import FILES, MakeTagRepository, TagRepository

pytestmark = pytest.mark.anyio


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}", "X-GitHub-Event": "push"}


async def test_a_push_moves_the_head_to_the_remote_s(
    ehtag_api: EhtagApi, make_tag_repository: MakeTagRepository
) -> None:
    remote = TagRepository(ehtag_api.repository.folder.parent / "remote")
    ehtag_api.repository.git("clone", "-q", "--bare", str(ehtag_api.repository.folder), str(remote.folder))
    ehtag_api.repository.git("remote", "add", "origin", str(remote.folder))
    sha = remote.commit({"database/other.md": FILES["database/other.md"].replace("火车".encode(), "列车".encode())})
    body = json.dumps({"ref": "refs/heads/master", "commits": ["x" * 100_000]}).encode()

    answer = await ehtag_api.request("POST", "/database/~update-webhook", content=body, headers=signed(body))

    assert answer.status_code == 200
    assert answer.json() == {"event": "push", "outcome": "MOVED", "sha": sha}
    assert etag_of(answer) == sha == ehtag_api.repository.head
    record = await ehtag_api.request("GET", "/database/other/train?format=raw.json")
    assert record.json()["name"] == "列车"


async def test_a_ping_is_only_acknowledged(ehtag_api: EhtagApi) -> None:
    answer = await ehtag_api.request(
        "POST", "/database/~update-webhook", content=b"{}", headers={**signed(b"{}"), "X-GitHub-Event": "ping"}
    )

    assert answer.json() == {"event": "ping", "outcome": "IGNORED", "sha": ehtag_api.repository.head}


@pytest.mark.parametrize(
    "headers",
    [{}, signed(b"{}", "wrong"), {"X-Hub-Signature-256": "sha256="}, {"X-Hub-Signature-256": "nonsense"}],
)
async def test_a_webhook_with_a_wrong_signature_is_refused(ehtag_api: EhtagApi, headers: dict[str, str]) -> None:
    answer = await ehtag_api.request("POST", "/database/~update-webhook", content=b"{}", headers=headers)

    assert answer.status_code == 401


async def test_without_a_secret_there_is_no_webhook(ehtag_api: EhtagApi) -> None:
    ehtag_api.services.settings = read_settings(ehtag_webhook_secret="")

    answer = await ehtag_api.request("POST", "/database/~update-webhook", content=b"{}", headers=signed(b"{}"))

    assert answer.status_code == 404
    assert etag_of(answer) == ehtag_api.repository.head
