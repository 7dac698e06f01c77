"""Methods, CORS and compression of the EhTag API."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
from backports import zstd

from tests.ehtag_api import EhtagApi

pytestmark = pytest.mark.anyio


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
async def test_a_wrong_method_is_405_with_the_allowed_ones(
    ehtag_api: EhtagApi, method: str, path: str, allowed: str
) -> None:
    answer = await ehtag_api.request(method, path)

    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    assert answer.json()["code"] == "BAD_REQUEST"


async def test_pages_of_any_origin_may_read_and_write(ehtag_api: EhtagApi) -> None:
    preflight = await ehtag_api.request(
        "OPTIONS",
        "/database/female/apron",
        headers={"Origin": "https://tags.example", "Access-Control-Request-Method": "PUT"},
    )
    answer = await ehtag_api.request("GET", "/database/female/apron", headers={"Origin": "https://tags.example"})

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
async def test_responses_are_compressed_with_what_the_client_accepts(
    ehtag_api: EhtagApi, accepts: str, coding: str | None
) -> None:
    plain = await ehtag_api.request("GET", "/database", headers={"Accept-Encoding": "identity"})
    async with ehtag_api.client.stream("GET", "/api/database", headers={"Accept-Encoding": accepts}) as answer:
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
