"""The page at `/`, GraphiQL, and their files, as `make web` built them; one plain page where it did not."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from rest.answers import error_response

DIST = Path(__file__).resolve().parent.parent / "web" / "dist"

NOT_BUILT = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>jmgraph</title>
<style>body{font:1rem/1.6 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem}</style>
<h1>jmgraph</h1>
<p>The API works: <code>POST /graphql</code>. The page and GraphiQL are not built yet: with Node 20 or later,
run <code>make web</code> and reload.</p>
<p lang="zh-Hans">API \xe5\xb7\xb2\xe5\x8f\xaf\xe4\xbd\xbf\xe7\x94\xa8\xef\xbc\x9a<code>POST /graphql</code>\xe3\x80\x82\
\xe9\xa1\xb5\xe9\x9d\xa2\xe4\xb8\x8e GraphiQL \xe5\xb0\x9a\xe6\x9c\xaa\xe6\x9e\x84\xe5\xbb\xba\xef\xbc\x9a\
\xe5\xae\x89\xe8\xa3\x85 Node 20 \xe6\x88\x96\xe6\x9b\xb4\xe9\xab\x98\xe7\x89\x88\xe6\x9c\xac\xef\xbc\x8c\
\xe8\xbf\x90\xe8\xa1\x8c <code>make web</code> \xe5\x90\x8e\xe5\x88\xb7\xe6\x96\xb0\xe3\x80\x82</p>
"""

PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
        "connect-src 'self' ws: wss:; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
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
