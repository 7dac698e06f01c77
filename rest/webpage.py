"""The page at `/`, GraphiQL, and their files, as `make web` built them; a plain page where they are not built.

Their URLs are relative, so that they work below any sub-path of a proxy. Each page has a Content-Security-Policy:
nothing is loaded from other hosts, except images in the introduction of a tag when the reader chooses to load them.
"""

from __future__ import annotations

import mimetypes
import re
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path

from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from rest.responses import compress, error_response
from services.http_semantics import quality_values

STATIC = Path(str(files("rest") / "static"))
"""Where `make web` writes the page: a part of this package, so that a wheel contains it."""

NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>jmgraph</title>
<h1>jmgraph</h1>
<p>The API works: <code>POST /graphql</code>. The page and GraphiQL are not built yet: with Node 20 or later,
run <code>make web</code>, then start again.</p>
<p lang="zh-Hans">API 已可使用：<code>POST /graphql</code>。页面与 GraphiQL 尚未构建：安装 Node 20 或更高版本，
运行 <code>make web</code> 后重新启动。</p>
""".encode()

REFUSED_HOST = """<!doctype html>
<html lang="zh-Hans"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>jmgraph</title>
<h1>jmgraph</h1>
<p>这台服务器不应答主机名 <b>{host}</b>。如果服务器是您的，请设置 <code>{setting}</code>
（或者把 <code>JMGRAPH_PUBLIC_URL</code> 设为您使用的网址），然后重新启动。</p>
<p lang="zh-Hant">這台伺服器不回應主機名稱 <b>{host}</b>。如果伺服器是您的，請設定 <code>{setting}</code>
（或者把 <code>JMGRAPH_PUBLIC_URL</code> 設為您使用的網址），然後重新啟動。</p>
<p lang="en">This server does not answer to the host name <b>{host}</b>. If it is yours, set <code>{setting}</code>
(or <code>JMGRAPH_PUBLIC_URL</code> to the address that you use), and start it again.</p>
"""

BASE = '<base href="./" />'
"""The base URL in the built page, replaced by the sub-path of a proxy."""

IMMUTABLE = "public, max-age=31536000, immutable"
"""For files whose name has a hash of their content."""

_COMPRESSED_ENDINGS = {"br": ".br", "gzip": ".gz"}
"""Codings in which the build wrote each file too, smallest first."""

_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")

_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Vary": "Accept, Accept-Encoding",
}

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; font-src 'self'; "
    "connect-src 'self' {socket}; manifest-src 'self'; worker-src 'self'; base-uri 'self'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types dompurify jmgraph"
)
_GRAPHIQL_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self' {socket}; worker-src 'self' blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""GraphiQL's editor adds inline styles and runs workers."""
_WORKER_POLICY = "default-src 'none'; connect-src 'self'"
"""The service worker only fetches."""

_APP_FILES = {"manifest.webmanifest": "application/manifest+json", "sw.js": "text/javascript"}
"""Name and type of the files beside the page."""


@cache
def _built(name: str) -> str | None:
    file = STATIC / name
    return file.read_text("utf-8") if file.is_file() else None


async def index(request: Request) -> Response:
    """The page."""
    return _page(request, "index.html", _PAGE_POLICY)


def graphiql_page(connection: HTTPConnection) -> Response:
    """GraphiQL, for `/graphql` in a browser."""
    return _page(connection, "graphiql.html", _GRAPHIQL_POLICY)


def _page(connection: HTTPConnection, name: str, policy: str) -> Response:
    html = _built(name)
    body = NOT_BUILT if html is None else html.replace(BASE, _base(connection)).encode()
    headers = {**_HEADERS, "Content-Security-Policy": policy.format(socket=_socket(connection))}
    if (compressed := compress(body, connection.headers.get("accept-encoding", ""))) is not None:
        body, headers["Content-Encoding"] = compressed
    return HTMLResponse(body, headers=headers)


def _base(connection: HTTPConnection) -> str:
    """The sub-path as base URL: "/jm" shows the same page as "/jm/", but relative URLs would lose "jm"."""
    prefix: str = connection.scope.get("root_path", "").rstrip("/")
    return f'<base href="{escape(prefix)}/" />' if prefix else BASE


def _socket(connection: HTTPConnection) -> str:
    """The origin of our WebSockets: older browsers don't match it with 'self'."""
    host = connection.headers.get("host", "")
    if not re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", host):
        return ""
    return f"{'wss' if connection.url.scheme in ('https', 'wss') else 'ws'}://{host}"


def accepts_page(accept: str | None) -> bool:
    """Whether an `Accept` is that of a browser's address bar: it names HTML, and nothing of JSON before it."""
    qualities = quality_values(accept or "")
    return qualities.get("text/html", 0.0) > qualities.get("application/json", 0.0)


def refused_host_page(host: str) -> Response:
    """What a browser is shown that asked by a host name which is not answered; "" for one that is no name."""
    name = escape(host)
    body = REFUSED_HOST.format(
        host=name, setting=f"JMGRAPH_ALLOWED_HOSTS={name}" if name else "JMGRAPH_ALLOWED_HOSTS"
    )
    headers = {**_HEADERS, "Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'"}
    return HTMLResponse(body, 400, headers)


async def app_file(request: Request) -> Response:
    """A file that makes the page an app; its name stays the same, so it is asked for again each time."""
    name = request.url.path.rpartition("/")[2]
    if (text := _built(name)) is None:
        return error_response(404, "NOT_FOUND", "The page is not built.")
    headers = {**_HEADERS, "Content-Security-Policy": _WORKER_POLICY}
    return Response(text, media_type=_APP_FILES[name], headers=headers)


async def asset(request: Request) -> Response:
    """A file of the page; its name has a hash, so it never changes."""
    name = request.path_params["name"]
    file = STATIC / "assets" / name
    if not _FILE_NAME.fullmatch(name) or not file.is_file():
        return error_response(404, "NOT_FOUND", "There is no such file.")
    headers = {"Cache-Control": IMMUTABLE, "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding"}
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    qualities = quality_values(request.headers.get("accept-encoding", ""))
    for coding, ending in _COMPRESSED_ENDINGS.items():
        compressed = file.with_name(name + ending)
        if qualities.get(coding, 0) > 0 and compressed.is_file():
            return FileResponse(compressed, media_type=media_type, headers={**headers, "Content-Encoding": coding})
    return FileResponse(file, media_type=media_type, headers=headers)


routes: list[BaseRoute] = [
    Route("/", index),
    *(Route(f"/{name}", app_file) for name in _APP_FILES),
    Route("/assets/{name}", asset),
]
