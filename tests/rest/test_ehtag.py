"""The EhTag connector API over HTTP."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from backports import zstd
from starlette.applications import Starlette

from rest.ehtag import routes
from services.ehtag.identity import open_identity
from services.ehtag.opening import open_tag_database
from services.settings import read_settings
from tests.github import GOOD_TOKEN, GitHub
from tests.tag_repositories import FEMALE, FILES, MakeTagRepository, TagRepository

pytestmark = pytest.mark.anyio

SECRET = "between us"
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


class Site:
    """The API over one repository."""

    def __init__(self, client: httpx.AsyncClient, repository: TagRepository, github: GitHub, services: Any) -> None:
        self.client = client
        self.repository = repository
        self.github = github
        self.services = services

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        return await self.client.request(method, f"/api{path}", **more)

    async def edit(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """A write by somebody known, over the newest version; headers are named with underscores."""
        known = {"If-Match": f'"{self.repository.head}"', "X-Token": GOOD_TOKEN}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.ask(method, path, headers=known | given, content=json.dumps(body) if body else None)


@pytest.fixture
def repository(make_tag_repository: MakeTagRepository) -> TagRepository:
    return make_tag_repository()


@pytest.fixture
async def site(tmp_path: Path, repository: TagRepository, github: GitHub) -> AsyncIterator[Site]:
    settings = read_settings(
        data_dir=tmp_path / "data", ehtag_repository=repository.folder, ehtag_webhook_secret=SECRET
    )
    async with open_tag_database(settings) as tags, open_identity(github.url) as identity:
        app = Starlette(routes=routes)
        app.state.services = SimpleNamespace(tags=tags, identity=identity, settings=settings)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://tags.test") as client:
            yield Site(client, repository, github, app.state.services)


def etag(answer: httpx.Response) -> str:
    return answer.headers["etag"].strip('"')


# reading


async def test_the_database_tells_its_head_and_its_namespaces(site: Site) -> None:
    answer = await site.ask("GET", "/database")

    sha = site.repository.head
    person = {"name": "somebody", "email": "somebody@localhost", "when": "2023-11-14T22:13:20.000Z"}
    assert answer.status_code == 200
    assert answer.headers["etag"] == f'"{sha}"'
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["vary"] == "Accept, Accept-Encoding, Origin"
    body = answer.json()
    assert list(body) == ["repo", "head", "version", "data"]
    assert body["repo"] == ""
    assert body["head"] == {"author": person, "committer": person, "sha": sha, "message": "first"}
    assert body["version"] == 7
    assert body["data"][2] == {
        "namespace": "other",
        "count": 2,
        "frontMatters": {"name": "其他", "description": "其他标签。", "key": "other"},
    }
    assert [summary["namespace"] for summary in body["data"]] == ["rows", "female", "other"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/database", 204),
        ("/database/female", 200),
        ("/database/female/apron", 204),
        ("/database/female/bonnet", 404),
        ("/database/nowhere", 404),
        ("/database/~badge", 200),
        ("/database/female/~badge", 200),
        ("/tools/status", 200),
    ],
)
async def test_head_answers_without_a_body(site: Site, path: str, status: int) -> None:
    answer = await site.ask("HEAD", path)

    assert answer.status_code == status
    assert etag(answer) == site.repository.head
    assert answer.content == b""


@pytest.mark.parametrize("namespace", ["female", "FEMALE", "f", "F"])
async def test_a_namespace_is_found_by_name_and_alias_in_any_case(site: Site, namespace: str) -> None:
    answer = await site.ask("GET", f"/database/{namespace}")

    assert answer.json() == {
        "namespace": "female",
        "count": 3,
        "frontMatters": {
            "name": "女性",
            "description": "女性角色的标签。",
            "key": "female",
            "example": {"raw": "glasses"},
        },
    }


@pytest.mark.parametrize("raw", ["chef hat", "chef%20hat", "Chef Hat", "%20chef%20hat%20"])
async def test_a_record_is_found_trimmed_and_in_any_case(site: Site, raw: str) -> None:
    answer = await site.ask("GET", f"/database/female/{raw}?format=raw.json")

    assert answer.json() == {"name": "厨师帽", "intro": "", "links": ""}


@pytest.mark.parametrize(
    ("query", "accept", "media_type", "name"),
    [
        ("", None, "application/json", FULL_HAT["name"]),
        ("", "application/json", "application/json", FULL_HAT["name"]),
        ("", "application/raw+json", "application/raw+json", "高帽"),
        ("", "application/html+json", "application/html+json", "<p>高帽</p>"),
        ("", "application/text+json;q=0.9, */*;q=0.1", "application/text+json", "高帽"),
        ("", "application/ast+json", "application/ast+json", FULL_HAT["name"]["ast"]),
        ("", "text/html, */*;q=0.8", "application/json", FULL_HAT["name"]),
        ("", "application/raw+json;q=0.2, application/html+json;q=0.4", "application/html+json", "<p>高帽</p>"),
        ("?format=json", "application/raw+json", "application/json", FULL_HAT["name"]),
        ("?format=raw.json", "application/json", "application/raw+json", "高帽"),
        ("?format=html.json", None, "application/html+json", "<p>高帽</p>"),
        ("?format=text.json", None, "application/text+json", "高帽"),
        ("?format=ast.json", None, "application/ast+json", FULL_HAT["name"]["ast"]),
    ],
)
async def test_a_record_comes_in_the_form_asked_and_the_query_wins(
    site: Site, query: str, accept: str | None, media_type: str, name: object
) -> None:
    await site.edit("POST", "/database/female/top hat", HAT)

    answer = await site.ask("GET", f"/database/female/top hat{query}", headers={"Accept": accept} if accept else {})

    assert answer.headers["content-type"] == media_type
    assert answer.json()["name"] == name


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
@pytest.mark.parametrize("path", ["/database/female/apron?format=xml", "/database/female/apron?format="])
async def test_an_unknown_format_is_refused(site: Site, method: str, path: str) -> None:
    assert (await site.ask(method, path)).status_code == 400


@pytest.mark.parametrize("raw", ["围裙", "a_b", "a%2Fb", "a/b", "%zz", "%00", "%20", "a%0ab", "a|b", "%ff", ""])
async def test_a_raw_tag_that_can_not_be_one_is_a_bad_request(site: Site, raw: str) -> None:
    answer = await site.ask("GET", f"/database/female/{raw}")

    assert answer.status_code == 400
    assert answer.json()["code"] == "INVALID_INPUT"


@pytest.mark.parametrize(
    "path", ["/database/female/bonnet", "/database/nowhere", "/database/nowhere/x", "/nothing", "/"]
)
async def test_what_is_not_there_is_404_with_the_version(site: Site, path: str) -> None:
    answer = await site.ask("GET", path)

    assert answer.status_code == 404
    assert etag(answer) == site.repository.head
    assert answer.json()["code"] == "NOT_FOUND"


@pytest.mark.parametrize("shape", ['"{}"', "{}", 'W/"{}"', 'w/"{}"', '"{0}-x", "{0}"', "*", '"0", W/"{}"'])
@pytest.mark.parametrize("is_upper", [False, True])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_who_has_the_version_gets_no_body(site: Site, method: str, shape: str, is_upper: bool) -> None:
    sha = site.repository.head.upper() if is_upper else site.repository.head
    for path in ("/database", "/database/female", "/database/female/apron", "/database/~badge"):
        answer = await site.ask(method, path, headers={"If-None-Match": shape.format(sha)})

        assert answer.status_code == 304
        assert answer.content == b""
        assert etag(answer) == site.repository.head
        assert answer.headers["vary"] == "Accept, Accept-Encoding, Origin"
        assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("known", ['"0000000000000000000000000000000000000000"', "", '""', "W/", ","])
async def test_who_has_another_version_gets_the_body(site: Site, known: str) -> None:
    answer = await site.ask("GET", "/database/female/apron", headers={"If-None-Match": known})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "label", "message"),
    [
        ("/database/~badge", "EhTag", None),
        ("/database/all/~badge", "EhTag", None),
        ("/database/~badge/all", "EhTag", None),
        ("/database/female/~badge", "女性", "3"),
        ("/database/~badge/female", "女性", "3"),
        ("/database/~badge/f", "女性", "3"),
    ],
)
async def test_badges_show_the_version_or_the_count(site: Site, path: str, label: str, message: str | None) -> None:
    answer = await site.ask("GET", path)

    expected = message or site.repository.head[:8]
    assert answer.json() == {"schemaVersion": 1, "label": label, "message": expected, "isError": False}


# editing


async def test_a_tag_is_added_with_one_commit(site: Site) -> None:
    answer = await site.edit("POST", "/database/F/Top%20Hat?before=apron", HAT)

    assert answer.status_code == 201
    assert answer.headers["location"] == "/api/database/female/top%20hat"
    assert etag(answer) == site.repository.head
    assert answer.json() == FULL_HAT
    text = site.repository.show("database/female.md").decode()
    assert text == FEMALE.replace("| apron |", "| top hat | 高帽 | 见`apron`。 |  |\n| apron |", 1)
    assert site.repository.git("log", "-1", "--format=%an <%ae>").strip() == "cook <7+cook@users.noreply.github.com>"


async def test_a_tag_is_changed_removed_and_gone(site: Site) -> None:
    changed = await site.edit("PUT", "/database/female/apron?format=raw.json", {**HAT, "intro": "新的。"})
    assert changed.status_code == 200
    assert changed.headers["content-type"] == "application/raw+json"
    assert changed.json() == {"name": "高帽", "intro": "新的。", "links": ""}

    same = await site.edit("PUT", "/database/female/apron", {**HAT, "intro": " 新的。"})
    assert same.status_code == 204
    assert etag(same) == etag(changed)
    assert same.content == b""

    removed = await site.edit("DELETE", "/database/female/apron")
    assert removed.status_code == 204
    assert etag(removed) == site.repository.head != etag(changed)
    assert (await site.ask("HEAD", "/database/female/apron")).status_code == 404
    again = await site.edit("DELETE", "/database/female/apron")
    assert again.status_code == 404
    assert etag(again) == etag(removed)


async def test_a_comment_needs_one_place_and_leads_to_its_namespace(site: Site) -> None:
    comment = {"name": "== 帽子 ==", "intro": "", "links": ""}
    for query in ("", "?before=apron&after=apron", "?before=", "?before=bonnet", "?after=帽"):
        assert (await site.edit("POST", f"/database/female/~comment{query}", comment)).status_code == 400

    answer = await site.edit("POST", "/database/female/~comment?after=apron", comment)

    assert answer.status_code == 201
    assert answer.headers["location"] == "/api/database/female"
    assert "|  | == 帽子 == |  |  |\n|  | == 其他 ==" in site.repository.show("database/female.md").decode()


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
async def test_an_edit_that_can_not_be_is_refused(site: Site, method: str, path: str, status: int) -> None:
    before = site.repository.head

    answer = await site.edit(method, path, HAT)

    assert answer.status_code == status
    assert set(answer.json()) == {"code", "message", "retryable"}
    assert site.repository.head == before


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
async def test_a_body_that_does_not_read_cleanly_is_a_bad_request(site: Site, body: bytes) -> None:
    headers = {"If-Match": site.repository.head, "X-Token": GOOD_TOKEN}

    answer = await site.ask("PUT", "/database/female/apron", headers=headers, content=body)

    assert answer.status_code == 400
    assert answer.json()["code"] == "INVALID_INPUT"


async def test_every_problem_of_the_cells_has_a_line(site: Site) -> None:
    body = {"name": "", "intro": "`bonnet` `帽`", "links": "[x](http://[)"}

    answer = await site.edit("PUT", "/database/female/apron", body)

    assert answer.json()["message"].split("\n") == [
        "name: 名称为空",
        "intro: 无效标签引用：`bonnet` 在数据库中不存在。",
        "intro: 无效标签引用：`帽` 不是一个有效的标签。",
        "links: 无效链接：`http://%5b` 不是一个有效的 URL。",
    ]


# versions, identity, the order of checks


@pytest.mark.parametrize("shape", ['"{}"', "{}", 'W/"{}"', '"0", "{}"', "*"])
async def test_a_write_may_name_the_version_in_any_way(site: Site, shape: str) -> None:
    answer = await site.edit("DELETE", "/database/female/apron", If_Match=shape.format(site.repository.head.upper()))

    assert answer.status_code == 204


async def test_a_write_over_another_version_is_412_with_the_newest(site: Site) -> None:
    old = site.repository.head
    new = site.repository.commit({"README.md": b"moved\n"})

    answer = await site.edit("DELETE", "/database/female/apron", If_Match=old)

    assert answer.status_code == 412
    assert etag(answer) == new
    assert answer.json()["code"] == "STALE"
    assert site.github.asked == []


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
async def test_checks_come_in_the_promised_order(
    site: Site, method: str, path: str, headers: dict[str, str], body: str, status: int
) -> None:
    named = {name: site.repository.head if value == "HEAD" else value for name, value in headers.items()}

    answer = await site.ask(method, path, headers=named, content=body)

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
async def test_a_token_comes_in_either_header(site: Site, headers: dict[str, str]) -> None:
    version = {"If-Match": site.repository.head}

    assert (await site.ask("DELETE", "/database/female/apron", headers=headers | version)).status_code == 204


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
async def test_who_is_not_known_does_not_write(site: Site, headers: dict[str, str], status: int, code: str) -> None:
    version = {"If-Match": site.repository.head}

    answer = await site.ask("DELETE", "/database/female/apron", headers=headers | version)

    assert answer.status_code == status
    assert answer.json()["code"] == code
    assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)
    assert "gho_" not in answer.text


async def test_twelve_writers_of_one_version_are_one_created_and_eleven_refused(site: Site) -> None:
    version = site.repository.head

    answers = await asyncio.gather(
        *(site.edit("POST", f"/database/female/hat {n}", HAT, If_Match=version) for n in range(12))
    )

    assert sorted(answer.status_code for answer in answers) == [201, *[412] * 11]
    assert {etag(answer) for answer in answers} == {site.repository.head}


async def test_a_body_of_no_announced_length_is_counted_as_it_comes(site: Site) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b"x" * 8192

    headers = {"If-Match": site.repository.head, "X-Token": GOOD_TOKEN}

    for method, path in (("PUT", "/database/female/apron"), ("POST", "/tools/normalize")):
        answer = await site.ask(method, path, headers=headers, content=pieces())
        assert answer.status_code == 413


async def test_the_longest_body_allowed_is_read(site: Site) -> None:
    filler = "字" * ((64 * 1024 - len(json.dumps(HAT, ensure_ascii=False).encode())) // 3)
    body = json.dumps({**HAT, "links": filler}, ensure_ascii=False).encode().ljust(64 * 1024)

    answer = await site.ask("POST", "/tools/normalize", content=body)

    assert len(body) == 64 * 1024
    assert answer.status_code == 200


# tools


async def test_normalise_gives_the_canonical_form_and_stores_nothing(site: Site) -> None:
    body = {"name": " 高帽 ", "intro": "a\r\nb`Female:Apron`", "links": "[X](http://twitter.com/hat)"}
    before = site.repository.head

    loose = await site.ask("POST", "/tools/normalize?format=raw.json", json=body)
    bound = await site.ask("POST", "/tools/normalize/f?format=raw.json", json=body)

    assert loose.json() == {"name": "高帽", "intro": "a\nb`Female:Apron`", "links": "[X](https://x.com/hat)"}
    assert bound.json() == {**loose.json(), "intro": "a\nb`f:apron`", "logs": []}
    assert site.repository.head == before


async def test_normalise_tells_what_is_wrong_within_a_namespace(site: Site) -> None:
    answer = await site.ask("POST", "/tools/normalize/female", json={"name": "", "intro": "`bonnet`", "links": ""})

    assert answer.status_code == 200
    assert [entry["message"] for entry in answer.json()["logs"]] == [
        "名称为空",
        "无效标签引用：`bonnet` 在数据库中不存在。",
    ]
    assert set(answer.json()["logs"][0]) == {"logger", "message"}
    assert answer.json()["intro"]["raw"] == "`bonnet`"


@pytest.mark.parametrize("path", ["/tools/serialize/top%20hat", "/tools/serialize/female/Top%20Hat"])
async def test_serialise_gives_one_row(site: Site, path: str) -> None:
    answer = await site.ask("POST", path, json={"name": "高|帽", "intro": "a\nb", "links": ""})

    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == "| top hat | 高\\|帽 | a<br>b |  |"


async def test_parse_reads_one_row(site: Site) -> None:
    row = "| Top Hat | 高帽 | a<br>见`apron` |  |\n".encode()

    loose = await site.ask("POST", "/tools/parse?format=text.json", content=row)
    bound = await site.ask("POST", "/tools/parse/female?format=text.json", content=row)

    assert loose.json() == {"key": "top hat", "value": {"name": "高帽", "intro": "a\n见apron", "links": ""}}
    assert bound.json() == {
        "raw": "top hat",
        "name": "高帽",
        "intro": "a\n见围裙(apron)",
        "links": "",
        "logs": [],
    }


@pytest.mark.parametrize("body", [b"", b"no row", b"| a | b | c | d |\n| e | f | g | h |", b"\xff", b"| a | b \\"])
@pytest.mark.parametrize("path", ["/tools/parse", "/tools/parse/female"])
async def test_parse_refuses_what_is_not_one_row(site: Site, path: str, body: bytes) -> None:
    assert (await site.ask("POST", path, content=body)).status_code == 400


@pytest.mark.parametrize("path", ["/tools/normalize/nowhere", "/tools/parse/nowhere", "/tools/serialize/nowhere/x"])
async def test_tools_know_no_strange_namespaces(site: Site, path: str) -> None:
    answer = await site.ask("POST", path, json=HAT)

    assert answer.status_code == 404
    assert etag(answer) == site.repository.head


async def test_serialise_refuses_a_bad_raw_tag(site: Site) -> None:
    assert (await site.ask("POST", "/tools/serialize/帽", json=HAT)).status_code == 400


# methods, CORS, compression


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/database/female/apron", "OPTIONS, GET, HEAD, POST, PUT, DELETE"),
        ("DELETE", "/database/female", "OPTIONS, GET, HEAD"),
        ("POST", "/database", "OPTIONS, GET, HEAD"),
        ("GET", "/tools/normalize", "OPTIONS, POST"),
        ("GET", "/database/female/~comment", "OPTIONS, POST"),
        ("PUT", "/database/~badge", "OPTIONS, GET, HEAD"),
        ("GET", "/database/~update-webhook", "OPTIONS, POST"),
    ],
)
async def test_a_wrong_method_is_405_and_told_the_right_ones(
    site: Site, method: str, path: str, allowed: str
) -> None:
    answer = await site.ask(method, path)

    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    assert answer.json()["code"] == "BAD_REQUEST"


async def test_pages_of_any_origin_may_read_and_write(site: Site) -> None:
    preflight = await site.ask(
        "OPTIONS",
        "/database/female/apron",
        headers={"Origin": "https://tags.example", "Access-Control-Request-Method": "PUT"},
    )
    answer = await site.ask("GET", "/database/female/apron", headers={"Origin": "https://tags.example"})

    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert preflight.headers["access-control-allow-methods"] == "OPTIONS, HEAD, GET, PUT, POST, DELETE"
    assert preflight.headers["access-control-max-age"] == "86400"
    assert preflight.headers["access-control-allow-headers"] == (
        "If-Match, If-None-Match, Content-Type, X-Token, Authorization"
    )
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-expose-headers"] == "ETag, Location"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("accepts", "coding"),
    [
        ("gzip", "gzip"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("zstd;q=0, *", "gzip"),
        ("*", "zstd"),
        ("identity, gzip;q=0.5", None),
        ("gzip;q=0", None),
        ("br", None),
        ("", None),
    ],
)
async def test_answers_are_compressed_with_what_the_client_takes(
    site: Site, accepts: str, coding: str | None
) -> None:
    plain = await site.ask("GET", "/database", headers={"Accept-Encoding": "identity"})
    async with site.client.stream("GET", "/api/database", headers={"Accept-Encoding": accepts}) as answer:
        body = b"".join([part async for part in answer.aiter_raw()])

    unpack: dict[str | None, Callable[[bytes], bytes]] = {
        "gzip": gzip.decompress,
        "zstd": zstd.decompress,
        None: bytes,
    }
    assert answer.headers.get("content-encoding") == coding
    assert unpack[coding](body) == plain.content
    assert answer.headers["content-length"] == str(len(body))
    assert answer.headers["etag"] == plain.headers["etag"]


# the webhook


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}", "X-GitHub-Event": "push"}


async def test_a_push_moves_the_head_to_the_remote_s(site: Site, make_tag_repository: MakeTagRepository) -> None:
    remote = TagRepository(site.repository.folder.parent / "remote")
    site.repository.git("clone", "-q", "--bare", str(site.repository.folder), str(remote.folder))
    site.repository.git("remote", "add", "origin", str(remote.folder))
    sha = remote.commit({"database/other.md": FILES["database/other.md"].replace("火车".encode(), "列车".encode())})
    body = json.dumps({"ref": "refs/heads/master", "commits": ["x" * 100_000]}).encode()

    answer = await site.ask("POST", "/database/~update-webhook", content=body, headers=signed(body))

    assert answer.status_code == 200
    assert answer.json() == {"event": "push", "outcome": "MOVED", "sha": sha}
    assert etag(answer) == sha == site.repository.head
    record = await site.ask("GET", "/database/other/train?format=raw.json")
    assert record.json()["name"] == "列车"


async def test_a_ping_is_only_acknowledged(site: Site) -> None:
    answer = await site.ask(
        "POST", "/database/~update-webhook", content=b"{}", headers={**signed(b"{}"), "X-GitHub-Event": "ping"}
    )

    assert answer.json() == {"event": "ping", "outcome": "IGNORED", "sha": site.repository.head}


@pytest.mark.parametrize(
    "headers",
    [{}, signed(b"{}", "wrong"), {"X-Hub-Signature-256": "sha256="}, {"X-Hub-Signature-256": "nonsense"}],
)
async def test_a_webhook_with_a_wrong_signature_is_refused(site: Site, headers: dict[str, str]) -> None:
    answer = await site.ask("POST", "/database/~update-webhook", content=b"{}", headers=headers)

    assert answer.status_code == 401


async def test_without_a_secret_there_is_no_webhook(site: Site) -> None:
    site.services.settings = read_settings(ehtag_webhook_secret="")

    answer = await site.ask("POST", "/database/~update-webhook", content=b"{}", headers=signed(b"{}"))

    assert answer.status_code == 404
    assert etag(answer) == site.repository.head
