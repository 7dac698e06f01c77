"""`/openapi.json`, `/schema.graphql`, and `/docs`: a page on which to read the API and try it.

The page has no scripts and loads nothing from elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from html import escape
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from rest import ehtag, files, health, images, opds, v1
from rest.openapi import openapi_document
from rest.operations import Group
from rest.responses import compress, json_response
from services.http_semantics import is_not_modified

GROUPS: tuple[Group, ...] = (*v1.GROUPS, images.GROUP, files.GROUP, opds.GROUP, ehtag.GROUP, health.GROUP)

STYLE = """
:root { background: Canvas; color: CanvasText; color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.6 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
h2 { border-bottom: 1px solid var(--line); margin-top: 3rem; }
h3 { font-size: 1rem; margin: 2rem 0 .25rem; overflow-wrap: anywhere; }
a { color: light-dark(#0b57d0, #a8c7fa); }
code, pre { font: .9em/1.5 ui-monospace, monospace; }
pre { background: var(--soft); overflow-wrap: anywhere; padding: .75rem; white-space: pre-wrap; }
table { border-collapse: collapse; margin: .5rem 0; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .75rem .25rem 0; text-align: left; }
td { vertical-align: top; }
th { font-weight: 600; white-space: nowrap; }
.method { background: var(--soft); border-radius: .25rem; margin-right: .5rem; padding: .1rem .4rem; }
nav a { margin-right: 1rem; }
"""

_STYLE_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
}


async def openapi(request: Request) -> Response:
    """The document, for the sub-path that the request was sent to."""
    return json_response(document(_server_path(request)), headers={"Cache-Control": "no-cache"})


def schema_endpoint(sdl: Callable[[], str]) -> Callable[[Request], Response]:
    """The handler of `/schema.graphql`; `sdl` gives the schema, at the first request."""

    @cache
    def made() -> tuple[bytes, str]:
        body = sdl().encode()
        return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'

    def schema_file(request: Request) -> Response:
        body, etag = made()
        headers = {"ETag": etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if is_not_modified(request.scope["headers"], etag):
            return Response(status_code=304, headers=headers)
        if (compressed := compress(body, request.headers.get("accept-encoding", ""))) is not None:
            body, headers["Content-Encoding"] = compressed
        return Response(body, headers=headers, media_type="text/plain")

    return schema_file


async def docs(request: Request) -> Response:
    """The page."""
    return HTMLResponse(page(_server_path(request)), headers=HEADERS)


def document(server: str) -> dict[str, Any]:
    """The document of everything beside GraphQL, for a server below this path."""
    return openapi_document(GROUPS, server)


def _server_path(request: Request) -> str:
    """Path under which the caller reaches this server: "/" or "/comics"."""
    return urlsplit(request.app.state.services.access.base_url(request.scope)).path or "/"


@lru_cache(maxsize=8)
def page(server: str) -> str:
    """The document as HTML."""
    described = document(server)
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width"><title>jmgraph API</title>',
            f"<style>{STYLE}</style></head><body>",
            f"<h1>jmgraph {escape(described['info']['version'])} · HTTP API 接口</h1>",
            f"<p>{_text(described['info']['description'])}</p>",
            *_links(server.rstrip("/")),
            *_contents(described),
            *_sections(described, server.rstrip("/")),
            *_types(described),
            "</body></html>",
        )
    )


def _links(base: str) -> Iterator[str]:
    links = {
        "/openapi.json": "openapi.json",
        "/schema.graphql": "schema.graphql",
        "/graphql": "GraphiQL: try GraphQL 试用",
    }
    anchors = (f'<a href="{escape(base + path)}">{name}</a>' for path, name in links.items())
    yield f"<nav>{''.join(anchors)}</nav>"


def _contents(described: dict[str, Any]) -> Iterator[str]:
    yield '<nav aria-label="Contents 目录">'
    for number, tag in enumerate(described["tags"]):
        yield f'<a href="#section-{number}">{escape(tag["name"])}</a>'
    yield '<a href="#types">Types · 类型</a></nav>'


def _sections(described: dict[str, Any], base: str) -> Iterator[str]:
    for number, tag in enumerate(described["tags"]):
        yield f'<h2 id="section-{number}">{escape(tag["name"])}</h2><p>{_text(tag["description"])}</p>'
        for path, operations in described["paths"].items():
            for method, operation in operations.items():
                if tag["name"] in operation["tags"]:
                    yield from _operation(base + path, method, operation)


def _operation(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    yield (
        f'<h3 id="{operation["operationId"]}"><span class="method">{method.upper()}</span>'
        f"<code>{escape(path)}</code></h3><p>{_text(operation['summary'])}</p>"
    )
    if operation["parameters"]:
        yield "<table><tr><th>Parameter 参数</th><th>In 位置</th><th>Type 类型</th><th>Meaning 含义</th></tr>"
        for parameter in operation["parameters"]:
            yield _row(
                f"<code>{escape(parameter['name'])}</code>",
                escape(parameter["in"]),
                _type(parameter["schema"]),
                _text(parameter["description"]),
            )
        yield "</table>"
    if body := operation.get("requestBody"):
        yield f"<p>Body 请求体: {_content(body['content'])}</p>"
    yield _trial(path, method, operation)
    yield "<table><tr><th>Status 状态</th><th>Body 内容</th><th>Meaning 含义</th></tr>"
    for status, answer in operation["responses"].items():
        yield _row(status, _content(answer.get("content", {})), _text(answer["description"]))
    yield "</table>"


def _trial(path: str, method: str, operation: dict[str, Any]) -> str:
    """How to try an operation with its examples: a link where a browser can follow it, else a line for a shell."""
    examples = {(one["in"], one["name"]): one["example"] for one in operation["parameters"] if "example" in one}
    path = re.sub(r"{(\w+)}", lambda found: quote(str(examples.get(("path", found[1]), found[0])), safe="{}"), path)
    query = urlencode({name: value for (place, name), value in examples.items() if place == "query"})
    url = escape(path + (f"?{query}" if query else ""))
    if method == "get" and "{" not in path:
        return f'<p><a href="{url}">Try it 试一试</a></p>'
    headers = [f" -H '{name}: {value}'" for (place, name), value in examples.items() if place == "header"]
    if body := operation.get("requestBody"):
        headers.append(f" -H 'Content-Type: {next(iter(body['content']))}' -d @body")
    line = f"curl -X {method.upper()} &quot;$JMGRAPH{url}&quot;{escape(''.join(headers), quote=False)}"
    return f"<p>Try it 试一试, <code>JMGRAPH</code> is this address 为本站地址:</p><pre>{line}</pre>"


def _row(*cells: str) -> str:
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _content(content: Mapping[str, Any]) -> str:
    bodies = (f"<code>{escape(name)}</code> {_type(body.get('schema', {}))}" for name, body in content.items())
    return "<br>".join(bodies)


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#type-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(choice) for choice in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if "enum" in schema:
        return " or ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    return escape(str(schema.get("type", "")))


def _types(described: dict[str, Any]) -> Iterator[str]:
    yield '<h2 id="types">Types · 类型</h2>'
    for name, schema in described["components"]["schemas"].items():
        text = json.dumps(schema, ensure_ascii=False, indent=2)
        yield f'<h3 id="type-{escape(name)}">{escape(name)}</h3><pre>{escape(text)}</pre>'


def _text(text: str) -> str:
    """Text as HTML, its `code` marked."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))


def routes(sdl: Callable[[], str]) -> list[BaseRoute]:
    """The routes of this module; `sdl` gives the schema of GraphQL."""
    return [
        Route("/openapi.json", openapi),
        Route("/schema.graphql", schema_endpoint(sdl)),
        Route("/docs", docs),
    ]
