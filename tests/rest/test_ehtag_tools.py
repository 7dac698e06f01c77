"""The three tools of the EhTag API."""

from __future__ import annotations

import pytest

from tests.ehtag_api import HAT, EhtagApi, etag_of

pytestmark = pytest.mark.anyio


async def test_normalise_gives_the_canonical_form_and_stores_nothing(ehtag_api: EhtagApi) -> None:
    body = {"name": " 高帽 ", "intro": "a\r\nb`Female:Apron`", "links": "[X](http://twitter.com/hat)"}
    before = ehtag_api.repository.head

    loose = await ehtag_api.request("POST", "/tools/normalize?format=raw.json", json=body)
    bound = await ehtag_api.request("POST", "/tools/normalize/f?format=raw.json", json=body)

    assert loose.json() == {"name": "高帽", "intro": "a\nb`Female:Apron`", "links": "[X](https://x.com/hat)"}
    assert bound.json() == {**loose.json(), "intro": "a\nb`f:apron`", "logs": []}
    assert ehtag_api.repository.head == before


async def test_normalise_reports_problems_within_a_namespace(ehtag_api: EhtagApi) -> None:
    answer = await ehtag_api.request(
        "POST", "/tools/normalize/female", json={"name": "", "intro": "`bonnet`", "links": ""}
    )

    assert answer.status_code == 200
    assert [entry["message"] for entry in answer.json()["logs"]] == [
        "名称为空",
        "无效标签引用：`bonnet` 在数据库中不存在。",
    ]
    assert set(answer.json()["logs"][0]) == {"logger", "message"}
    assert answer.json()["intro"]["raw"] == "`bonnet`"


@pytest.mark.parametrize("path", ["/tools/serialize/top%20hat", "/tools/serialize/female/Top%20Hat"])
async def test_serialise_gives_one_row(ehtag_api: EhtagApi, path: str) -> None:
    answer = await ehtag_api.request("POST", path, json={"name": "高|帽", "intro": "a\nb", "links": ""})

    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == "| top hat | 高\\|帽 | a<br>b |  |"


async def test_parse_reads_one_row(ehtag_api: EhtagApi) -> None:
    row = "| Top Hat | 高帽 | a<br>见`apron` |  |\n".encode()

    loose = await ehtag_api.request("POST", "/tools/parse?format=text.json", content=row)
    bound = await ehtag_api.request("POST", "/tools/parse/female?format=text.json", content=row)

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
async def test_parse_refuses_anything_but_one_row(ehtag_api: EhtagApi, path: str, body: bytes) -> None:
    assert (await ehtag_api.request("POST", path, content=body)).status_code == 400


@pytest.mark.parametrize("path", ["/tools/normalize/nowhere", "/tools/parse/nowhere", "/tools/serialize/nowhere/x"])
async def test_an_unknown_namespace_is_not_found(ehtag_api: EhtagApi, path: str) -> None:
    answer = await ehtag_api.request("POST", path, json=HAT)

    assert answer.status_code == 404
    assert etag_of(answer) == ehtag_api.repository.head


async def test_serialise_refuses_a_bad_raw_tag(ehtag_api: EhtagApi) -> None:
    assert (await ehtag_api.request("POST", "/tools/serialize/帽", json=HAT)).status_code == 400
