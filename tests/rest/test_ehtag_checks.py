"""Versions, identity, sizes, and the order in which they are checked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.ehtag import EditorRules
from services.settings import read_settings
from tests.ehtag_api import HAT, EhtagApi, etag_of, open_ehtag_api
from tests.github import GOOD_TOKEN, NEW_TOKEN, GitHub
from tests.tag_repositories import MakeTagRepository

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("shape", ['"{}"', "{}", 'W/"{}"', '"0", "{}"', "*"])
async def test_a_write_may_name_the_version_in_any_way(ehtag_api: EhtagApi, shape: str) -> None:
    answer = await ehtag_api.edit(
        "DELETE", "/database/female/apron", If_Match=shape.format(ehtag_api.repository.head.upper())
    )

    assert answer.status_code == 204


async def test_a_write_over_another_version_is_412_with_the_newest(ehtag_api: EhtagApi) -> None:
    old = ehtag_api.repository.head
    new = ehtag_api.repository.commit({"README.md": b"moved\n"})

    answer = await ehtag_api.edit("DELETE", "/database/female/apron", If_Match=old)

    assert answer.status_code == 412
    assert etag_of(answer) == new
    assert answer.json()["code"] == "STALE"
    assert ehtag_api.github.tokens == []


LONG = "x" * (64 * 1024 + 1)


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status"),
    [
        ("PATCH", "/database/female/apron", {}, LONG, 405),
        ("POST", "/database/nowhere/apron", {}, LONG, 404),
        ("POST", "/database/female/帽", {}, LONG, 400),
        ("POST", "/database/female/cap", {}, LONG, 413),
        ("POST", "/database/female/cap", {}, "", 428),
        ("POST", "/database/female/cap", {"If-Match": "  "}, "", 428),
        ("POST", "/database/female/cap", {"If-Match": '"0"'}, "", 412),
        ("POST", "/database/female/cap", {"If-Match": "HEAD"}, "", 401),
        ("POST", "/database/female/cap", {"If-Match": "HEAD", "X-Token": "gho_unknown"}, "", 401),
        ("POST", "/database/female/cap", {"If-Match": "HEAD", "X-Token": GOOD_TOKEN}, "", 400),
        ("POST", "/database/female/apron", {"If-Match": "HEAD", "X-Token": GOOD_TOKEN}, json.dumps(HAT), 409),
        ("PUT", "/database/female/bonnet", {"If-Match": "HEAD", "X-Token": GOOD_TOKEN}, json.dumps(HAT), 404),
        ("POST", "/database/female/~comment", {}, "", 428),
        ("DELETE", "/database/female/bonnet", {}, "", 428),
        ("DELETE", "/database/female/bonnet", {"If-Match": "HEAD"}, "", 401),
    ],
)
async def test_checks_run_in_the_documented_order(
    ehtag_api: EhtagApi, method: str, path: str, headers: dict[str, str], body: str, status: int
) -> None:
    named = {name: ehtag_api.repository.head if value == "HEAD" else value for name, value in headers.items()}

    answer = await ehtag_api.request(method, path, headers=named, content=body)

    assert answer.status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Token": GOOD_TOKEN},
        {"Authorization": f"Bearer {GOOD_TOKEN}"},
        {"Authorization": f"bearer {GOOD_TOKEN}"},
        {"X-Token": GOOD_TOKEN, "Authorization": "Bearer gho_unknown"},
    ],
)
async def test_a_token_may_be_in_either_header(ehtag_api: EhtagApi, headers: dict[str, str]) -> None:
    version = {"If-Match": ehtag_api.repository.head}

    assert (await ehtag_api.request("DELETE", "/database/female/apron", headers=headers | version)).status_code == 204


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "UNAUTHENTICATED"),
        ({"X-Token": ""}, 401, "UNAUTHENTICATED"),
        ({"X-Token": "two words"}, 401, "UNAUTHENTICATED"),
        ({"Authorization": "Basic Zm9v"}, 401, "UNAUTHENTICATED"),
        ({"Authorization": "Bearer gho_unknown"}, 401, "UNAUTHENTICATED"),
        ({"X-Token": "gho_down"}, 504, "UPSTREAM_UNAVAILABLE"),
        ({"X-Token": "gho_broken"}, 502, "UPSTREAM_BROKEN"),
    ],
)
async def test_a_caller_without_a_valid_token_can_not_write(
    ehtag_api: EhtagApi, headers: dict[str, str], status: int, code: str
) -> None:
    version = {"If-Match": ehtag_api.repository.head}

    answer = await ehtag_api.request("DELETE", "/database/female/apron", headers=headers | version)

    assert answer.status_code == status
    assert answer.json()["code"] == code
    assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)
    assert "gho_" not in answer.text


@pytest.mark.parametrize(
    ("token", "rules", "reason"),
    [
        (GOOD_TOKEN, EditorRules(frozenset({"gardener"})), "cook is not among those who may edit"),
        (NEW_TOKEN, EditorRules(min_account_age=timedelta(days=15)), "newcomer must be 15 days old"),
    ],
)
async def test_who_may_not_edit_is_refused_with_the_reason_and_before_the_body(
    tmp_path: Path,
    make_tag_repository: MakeTagRepository,
    github: GitHub,
    token: str,
    rules: EditorRules,
    reason: str,
) -> None:
    repository = make_tag_repository()
    settings = read_settings(data_dir=tmp_path / "data", ehtag_repository=repository.folder)
    async with open_ehtag_api(settings, repository, github, rules) as api:
        answer = await api.edit("PUT", "/database/female/apron", {"name": 1}, X_Token=token)

    assert answer.status_code == 403
    assert answer.json()["code"] == "FORBIDDEN"
    assert reason in answer.json()["message"]


async def test_twelve_writers_of_one_version_are_one_created_and_eleven_refused(ehtag_api: EhtagApi) -> None:
    version = ehtag_api.repository.head

    answers = await asyncio.gather(
        *(ehtag_api.edit("POST", f"/database/female/hat {n}", HAT, If_Match=version) for n in range(12))
    )

    assert sorted(answer.status_code for answer in answers) == [201, *[412] * 11]
    assert {etag_of(answer) for answer in answers} == {ehtag_api.repository.head}


async def test_a_body_without_content_length_is_counted_as_it_arrives(ehtag_api: EhtagApi) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b"x" * 8192

    headers = {"If-Match": ehtag_api.repository.head, "X-Token": GOOD_TOKEN}

    for method, path in (("PUT", "/database/female/apron"), ("POST", "/tools/normalize")):
        answer = await ehtag_api.request(method, path, headers=headers, content=pieces())
        assert answer.status_code == 413


async def test_the_longest_body_allowed_is_read(ehtag_api: EhtagApi) -> None:
    filler = "字" * ((64 * 1024 - len(json.dumps(HAT, ensure_ascii=False).encode())) // 3)
    body = json.dumps({**HAT, "links": filler}, ensure_ascii=False).encode().ljust(64 * 1024)

    answer = await ehtag_api.request("POST", "/tools/normalize", content=body)

    assert len(body) == 64 * 1024
    assert answer.status_code == 200
