"""Editing the tag database over HTTP."""

from __future__ import annotations

import pytest

from tests.ehtag_api import FULL_HAT, HAT, EhtagApi, etag_of
from tests.github import GOOD_TOKEN
from tests.tag_repositories import FEMALE

pytestmark = pytest.mark.anyio


async def test_a_tag_is_added_with_one_commit(ehtag_api: EhtagApi) -> None:
    answer = await ehtag_api.edit("POST", "/database/F/Top%20Hat?before=apron", HAT)

    assert answer.status_code == 201
    assert answer.headers["location"] == "/api/database/female/top%20hat"
    assert etag_of(answer) == ehtag_api.repository.head
    assert answer.json() == FULL_HAT
    text = ehtag_api.repository.show("database/female.md").decode()
    assert text == FEMALE.replace("| apron |", "| top hat | 高帽 | 见`apron`。 |  |\n| apron |", 1)
    assert (
        ehtag_api.repository.git("log", "-1", "--format=%an <%ae>").strip()
        == "cook <7+cook@users.noreply.github.com>"
    )


async def test_a_tag_is_changed_removed_and_gone(ehtag_api: EhtagApi) -> None:
    changed = await ehtag_api.edit("PUT", "/database/female/apron?format=raw.json", {**HAT, "intro": "新的。"})
    assert changed.status_code == 200
    assert changed.headers["content-type"] == "application/raw+json; charset=utf-8"
    assert changed.json() == {"name": "高帽", "intro": "新的。", "links": ""}

    same = await ehtag_api.edit("PUT", "/database/female/apron", {**HAT, "intro": " 新的。"})
    assert same.status_code == 204
    assert etag_of(same) == etag_of(changed)
    assert same.content == b""

    removed = await ehtag_api.edit("DELETE", "/database/female/apron")
    assert removed.status_code == 204
    assert etag_of(removed) == ehtag_api.repository.head != etag_of(changed)
    assert (await ehtag_api.request("HEAD", "/database/female/apron")).status_code == 404
    again = await ehtag_api.edit("DELETE", "/database/female/apron")
    assert again.status_code == 404
    assert etag_of(again) == etag_of(removed)


async def test_a_comment_needs_one_position_and_its_location_is_the_namespace(ehtag_api: EhtagApi) -> None:
    comment = {"name": "== 帽子 ==", "intro": "", "links": ""}
    for query in ("", "?before=apron&after=apron", "?before=", "?before=bonnet", "?after=帽"):
        assert (await ehtag_api.edit("POST", f"/database/female/~comment{query}", comment)).status_code == 400

    answer = await ehtag_api.edit("POST", "/database/female/~comment?after=apron", comment)

    assert answer.status_code == 201
    assert answer.headers["location"] == "/api/database/female"
    assert "|  | == 帽子 == |  |  |\n|  | == 其他 ==" in ehtag_api.repository.show("database/female.md").decode()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/database/female/apron", 409),
        ("PUT", "/database/female/bonnet", 404),
        ("DELETE", "/database/female/bonnet", 404),
        ("POST", "/database/nowhere/apron", 404),
        ("POST", "/database/female/帽", 400),
        ("POST", "/database/parody/anything", 409),
        ("POST", "/database/female/cap?before=bonnet", 400),
        ("POST", "/database/female/cap?before=apron&after=apron", 400),
    ],
)
async def test_an_impossible_edit_is_refused(ehtag_api: EhtagApi, method: str, path: str, status: int) -> None:
    before = ehtag_api.repository.head

    answer = await ehtag_api.edit(method, path, HAT)

    assert answer.status_code == status
    assert set(answer.json()) == {"code", "message", "retryable"}
    assert answer.json()["code"] == {400: "INVALID_INPUT", 404: "NOT_FOUND", 409: "CONFLICT"}[status]
    assert ehtag_api.repository.head == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b'{"name": "x"}',
        b'{"name": 1, "intro": "", "links": ""}',
        b'{"name": null, "intro": "", "links": ""}',
        b'{"name": "", "intro": "", "links": ""}',
        b'{"name": "\\ud800", "intro": "", "links": ""}',
        b'{"name": "\xff", "intro": "", "links": ""}',
        b'{"name": "x", "intro": "`bonnet`", "links": ""}',
        b"[" * 5000,
    ],
)
async def test_an_invalid_body_is_a_bad_request(ehtag_api: EhtagApi, body: bytes) -> None:
    headers = {"If-Match": ehtag_api.repository.head, "X-Token": GOOD_TOKEN}

    answer = await ehtag_api.request("PUT", "/database/female/apron", headers=headers, content=body)

    assert answer.status_code == 400
    assert answer.json()["code"] == "INVALID_INPUT"


async def test_each_problem_of_the_cells_has_a_line(ehtag_api: EhtagApi) -> None:
    body = {"name": "", "intro": "`bonnet` `帽`", "links": "[x](http://[)"}

    answer = await ehtag_api.edit("PUT", "/database/female/apron", body)

    assert answer.json()["message"].split("\n") == [
        "name: 名称为空",
        "intro: 无效标签引用：`bonnet` 在数据库中不存在。",
        "intro: 无效标签引用：`帽` 不是一个有效的标签。",
        "links: 无效链接：`http://%5b` 不是一个有效的 URL。",
    ]
