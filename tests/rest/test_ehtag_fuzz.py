"""Random requests to the EhTag API: each is answered in JSON and without a server error."""

from __future__ import annotations

import json
import string
from collections.abc import Iterator
from types import SimpleNamespace
from urllib.parse import quote_from_bytes

import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from rest.ehtag import GROUP, routes
from services.ehtag import open_identity, open_tag_database
from services.settings import read_settings
from tests.github import GOOD_TOKEN, GitHub
from tests.tag_repositories import MakeTagRepository

UNESCAPED = frozenset(string.ascii_letters + string.digits + "%/~.-_:@!$&'()*+,;=")
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW")
USUAL_SEGMENTS = (
    "female",
    "f",
    "all",
    "apron",
    "~badge",
    "~comment",
    "chef hat",
    "new tag",
    "..",
    ".",
    "%",
    "%2F",
    "",
)

segments = st.one_of(
    st.sampled_from(USUAL_SEGMENTS), st.binary(max_size=12).map(quote_from_bytes), st.text(max_size=6)
)
paths = st.one_of(
    st.sampled_from(sorted({path.removeprefix("/api") for path, _, _ in GROUP.operations()})).flatmap(
        lambda path: st.tuples(segments, segments).map(
            lambda filled: path.replace("{namespace}", filled[0]).replace("{raw:remainder}", filled[1])
        )
    ),
    st.lists(segments, max_size=5).map(lambda parts: "/" + "/".join(parts)),
)
markup = st.text(alphabet="ab `*_[]()<>&|\\!#:\"'~-\n\r\t\0\u2028\ufeff/.帽😀é\u0301", max_size=40)
cells = st.fixed_dictionaries({"name": markup, "intro": markup, "links": markup}).map(json.dumps).map(str.encode)
bodies = st.one_of(cells, st.binary(max_size=60), markup.map(lambda text: f"| a | {text} | | |".encode()))
header_values = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
headers = st.fixed_dictionaries(
    {"If-Match": st.one_of(st.just("*"), header_values), "X-Token": st.one_of(st.just(GOOD_TOKEN), header_values)},
    optional={
        "Accept": header_values,
        "Accept-Encoding": st.one_of(st.sampled_from(["gzip", "zstd", "*;q=nan"]), header_values),
        "If-None-Match": header_values,
        "Content-Length": st.just("12"),
        "X-Hub-Signature-256": header_values,
        "Authorization": header_values,
    },
)
queries = st.dictionaries(st.sampled_from(["format", "before", "after", "x"]), st.text(max_size=10), max_size=3)


@pytest.fixture
def api(
    make_tag_repository: MakeTagRepository, github: GitHub, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[BlockingPortal, httpx.AsyncClient]]:
    """A client of the API and the event loop it runs on: hypothesis calls it from another thread."""
    repository = make_tag_repository()
    found = read_settings(
        data_dir=tmp_path_factory.mktemp("data"),
        ehtag_repository=repository.folder,
        ehtag_webhook_secret="between us",
    )
    with (
        start_blocking_portal("asyncio") as portal,
        portal.wrap_async_context_manager(open_tag_database(found)) as tags,
        portal.wrap_async_context_manager(open_identity(github.url)) as identity,
    ):
        app = Starlette(routes=routes)
        app.state.services = SimpleNamespace(tags=tags, identity=identity, settings=found)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tags.test")
        with portal.wrap_async_context_manager(client):
            yield portal, client
    repository.check()


@given(method=st.sampled_from(METHODS), path=paths, query=queries, sent=headers, body=bodies)
@example(
    method="POST", path="/database/female/new", query={}, sent={"If-Match": "*", "X-Token": GOOD_TOKEN}, body=b"{}"
)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_request_causes_a_server_error(
    api: tuple[BlockingPortal, httpx.AsyncClient],
    method: str,
    path: str,
    query: dict[str, str],
    sent: dict[str, str],
    body: bytes,
) -> None:
    portal, client = api
    try:
        request = client.build_request(method, "/api" + quoted(path), params=query, headers=sent, content=body)
    except (httpx.InvalidURL, UnicodeError):
        return  # no client can send that
    if not request.url.path.startswith("/api/"):
        return  # dot segments led out of the API

    answer = portal.call(client.send, request)

    assert answer.status_code < 500
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["vary"] == "Accept, Accept-Encoding, Origin"
    if answer.status_code == 404 or 200 <= answer.status_code < 300:
        assert answer.headers.get("etag") or method == "OPTIONS"
    if answer.status_code in (204, 304) or method == "HEAD":
        assert answer.content == b""
    elif answer.status_code >= 400:
        assert set(answer.json()) == {"code", "message", "retryable"}


def quoted(path: str) -> str:
    """The path as a client would send it: what a URL can not contain is escaped, percent signs stay as they are."""
    return "".join(letter if letter in UNESCAPED else percent(letter) for letter in path)


def percent(letter: str) -> str:
    return quote_from_bytes(letter.encode("utf-8", "surrogatepass"))
