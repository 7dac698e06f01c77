"""The page at `/`, GraphiQL, and their files, as `make web` built them; one plain page where it did not."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from rest.answers import error_response

DIST = Path(__file__).resolve().parent.parent / "web" / "dist"

NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>jmgraph</title>
<h1>jmgraph</h1>
<p>The API works: <code>POST /graphql</code>. The page and GraphiQL are not built yet: with Node 20 or later,
run <code>make web</code>, then start again.</p>
<p lang="zh-Hans">API 已可使用：<code>POST /graphql</code>。页面与 GraphiQL 尚未构建：安装 Node 20 或更高版本，
运行 <code>make web</code> 后重新启动。</p>
""".encode()

PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
        "connect-src 'self' ws: wss:; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
}


@cache
def _built(name: str) -> bytes:
    file = DIST / name
    return file.read_bytes() if file.is_file() else NOT_BUILT


def graphiql_page() -> bytes:
    """GraphiQL for `/graphql` in a browser."""
    return _built("graphiql.html")


async def index(_: Request) -> Response:
    """The page."""
    return HTMLResponse(_built("index.html"), headers=PAGE_HEADERS)


async def asset(request: Request) -> Response:
    """A file of the page; its name holds a hash, so it never changes."""
    name = request.path_params["name"]
    file = DIST / "assets" / name
    if "/" in name or name.startswith(".") or not file.is_file():
        return error_response(404, "NOT_FOUND", "There is no such file.")
    return FileResponse(file, headers={"Cache-Control": "public, max-age=31536000, immutable"})


routes: list[BaseRoute] = [Route("/", index), Route("/assets/{name}", asset)]
