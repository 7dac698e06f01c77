"""Reading the tag database over HTTP."""

from __future__ import annotations

import pytest

from tests.ehtag_api import FULL_HAT, HAT, EhtagApi, etag_of

pytestmark = pytest.mark.anyio


async def test_the_database_has_its_head_and_its_namespaces(ehtag_api: EhtagApi) -> None:
    answer = await ehtag_api.request("GET", "/database")

    sha = ehtag_api.repository.head
    person = {"name": "somebody", "email": "somebody@localhost", "when": "2023-11-14T22:13:20.000Z"}
    assert answer.status_code == 200
    assert answer.headers["etag"] == f'"{sha}"'
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["vary"] == "Accept, Accept-Encoding, Origin"
    body = answer.json()
    assert list(body) == ["repo", "head", "version", "data"]
    assert body["repo"] == "https://github.com/EhTagTranslation/Database.git"
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
async def test_head_answers_without_a_body(ehtag_api: EhtagApi, path: str, status: int) -> None:
    answer = await ehtag_api.request("HEAD", path)

    assert answer.status_code == status
    assert etag_of(answer) == ehtag_api.repository.head
    assert answer.content == b""


@pytest.mark.parametrize("namespace", ["female", "FEMALE", "f", "F"])
async def test_a_namespace_is_found_by_name_and_alias_in_any_case(ehtag_api: EhtagApi, namespace: str) -> None:
    answer = await ehtag_api.request("GET", f"/database/{namespace}")

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
async def test_a_record_is_found_trimmed_and_in_any_case(ehtag_api: EhtagApi, raw: str) -> None:
    answer = await ehtag_api.request("GET", f"/database/female/{raw}?format=raw.json")

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
        ("?format=full.json", "application/raw+json", "application/json", FULL_HAT["name"]),
        ("?format=Raw.JSON", None, "application/raw+json", "高帽"),
        ("?format=%20text.json%09", None, "application/text+json", "高帽"),
        ("?format=", "application/raw+json", "application/raw+json", "高帽"),
        ("?format=%20", None, "application/json", FULL_HAT["name"]),
    ],
)
async def test_a_record_has_the_requested_form_and_the_query_takes_precedence(
    ehtag_api: EhtagApi, query: str, accept: str | None, media_type: str, name: object
) -> None:
    await ehtag_api.edit("POST", "/database/female/top hat", HAT)

    answer = await ehtag_api.request(
        "GET", f"/database/female/top hat{query}", headers={"Accept": accept} if accept else {}
    )

    assert answer.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert answer.json()["name"] == name


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/database/female/apron"),
        ("HEAD", "/database/female/apron"),
        ("POST", "/database/female/cap"),
        ("PUT", "/database/female/apron"),
        ("POST", "/database/female/~comment"),
        ("POST", "/tools/normalize"),
        ("POST", "/tools/parse/female"),
    ],
)
async def test_a_record_in_an_unknown_format_is_refused(ehtag_api: EhtagApi, method: str, path: str) -> None:
    assert (await ehtag_api.request(method, f"{path}?format=xml")).status_code == 400


@pytest.mark.parametrize(
    "path",
    ["/database", "/database/female", "/database/~badge", "/database/all/~badge", "/database/female/~badge"],
)
async def test_an_unknown_format_is_ignored_where_no_record_is_asked_for(ehtag_api: EhtagApi, path: str) -> None:
    answer = await ehtag_api.request("GET", f"{path}?format=xml")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


async def test_a_removal_asks_for_no_record(ehtag_api: EhtagApi) -> None:
    assert (await ehtag_api.edit("DELETE", "/database/female/apron?format=xml")).status_code == 204


@pytest.mark.parametrize("raw", ["围裙", "a_b", "a%2Fb", "a/b", "%zz", "%00", "%20", "a%0ab", "a|b", "%ff", ""])
async def test_an_invalid_raw_tag_is_a_bad_request(ehtag_api: EhtagApi, raw: str) -> None:
    answer = await ehtag_api.request("GET", f"/database/female/{raw}")

    assert answer.status_code == 400
    assert answer.json()["code"] == "INVALID_INPUT"


@pytest.mark.parametrize(
    "path", ["/database/female/bonnet", "/database/nowhere", "/database/nowhere/x", "/nothing", "/"]
)
async def test_what_does_not_exist_is_404_with_the_version(ehtag_api: EhtagApi, path: str) -> None:
    answer = await ehtag_api.request("GET", path)

    assert answer.status_code == 404
    assert etag_of(answer) == ehtag_api.repository.head
    assert answer.json()["code"] == "NOT_FOUND"


@pytest.mark.parametrize("shape", ['"{}"', "{}", 'W/"{}"', 'w/"{}"', '"{0}-x", "{0}"', "*", '"0", W/"{}"'])
@pytest.mark.parametrize("is_upper", [False, True])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_client_that_has_the_version_gets_304(
    ehtag_api: EhtagApi, method: str, shape: str, is_upper: bool
) -> None:
    sha = ehtag_api.repository.head.upper() if is_upper else ehtag_api.repository.head
    for path in ("/database", "/database/female", "/database/female/apron", "/database/~badge"):
        answer = await ehtag_api.request(method, path, headers={"If-None-Match": shape.format(sha)})

        assert answer.status_code == 304
        assert answer.content == b""
        assert etag_of(answer) == ehtag_api.repository.head
        assert answer.headers["vary"] == "Accept, Accept-Encoding, Origin"
        assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("known", ['"0000000000000000000000000000000000000000"', "", '""', "W/", ","])
async def test_a_client_that_has_another_version_gets_the_body(ehtag_api: EhtagApi, known: str) -> None:
    answer = await ehtag_api.request("GET", "/database/female/apron", headers={"If-None-Match": known})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "label", "message"),
    [
        ("/database/~badge", "database", None),
        ("/database/all/~badge", "all records", "7"),
        ("/database/~badge/all", "all records", "7"),
        ("/database/female/~badge", "female", "3"),
        ("/database/~badge/female", "female", "3"),
        ("/database/~badge/f", "female", "3"),
    ],
)
async def test_badges_show_the_version_or_a_count(
    ehtag_api: EhtagApi, path: str, label: str, message: str | None
) -> None:
    answer = await ehtag_api.request("GET", path)

    expected = message or ehtag_api.repository.head[:8]
    assert answer.json() == {"schemaVersion": 1, "label": label, "message": expected, "isError": False}
