"""Responses that fail as those of the real site and its CDN do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random
from threading import Lock

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from demo.asgi import Connection, buffered, host_of, role_of
from demo.knobs import Knobs
from demo.odd_answers import ODD_ANSWERS
from demo.records import Chapter, Comic, Fault, FaultKind

HANG_LIMIT_S = 120
"""A request that hangs is dropped after this, so that no client waits for ever."""

_CHUNK_BYTES = 16 * 1024

_REGION = "<html><head><title>403</title></head><body>Restricted Access! This area is not served.</body></html>"
_DATABASE = "Could not connect to mysql! Please check your database settings!"
_CHALLENGE = """<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title>
<meta name="robots" content="noindex,nofollow"></head><body><div id="challenge-running"></div>
<noscript>Enable JavaScript and cookies to continue</noscript>
<script>window._cf_chl_opt={cvId:'3',cType:'managed'};</script>
<script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1"></script></body></html>"""
_MAINTENANCE = """<!DOCTYPE html><html><head><title>網站維護中</title></head>
<body><h1>網站維護中</h1><p>Site under maintenance. 系統升級中，請稍後再來。</p></body></html>"""
_PAGE = "<!DOCTYPE html><html><head><title>Welcome</title></head><body><p>An ordinary page of HTML.</p></body></html>"


def failing(fault: Fault, healthy: ASGIApp) -> ASGIApp:
    """The app that responds in place of `healthy`; some send a part of its response."""
    return _ANSWERS[fault.kind](fault, healthy)


async def drop(scope: Scope, _receive: Receive, _send: Send) -> None:
    """Cut the connection without a byte."""
    await Connection.of(scope).cut()


async def hang(scope: Scope, _receive: Receive, _send: Send) -> None:
    """Send nothing until the client disconnects; cut the connection after `HANG_LIMIT_S`."""
    if await Connection.of(scope).stays_open(HANG_LIMIT_S):
        await Connection.of(scope).cut()


def lost(healthy: ASGIApp) -> ASGIApp:
    """Do what was requested, and cut the connection without a byte of the response."""

    async def answer(scope: Scope, receive: Receive, _send: Send) -> None:
        await buffered(healthy, scope, receive)
        await Connection.of(scope).cut()

    return answer


def slowed(healthy: ASGIApp, bytes_per_s: int | None, stall_after_bytes: int | None) -> ASGIApp:
    """The healthy response, sent slowly, or without an end after some bytes of its body."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        start, body = await buffered(healthy, scope, receive)
        await send(start)
        sent = body if stall_after_bytes is None else body[:stall_after_bytes]
        step, pause_s = _pace(bytes_per_s)
        for at in range(0, len(sent), step):
            await send({"type": "http.response.body", "body": sent[at : at + step], "more_body": True})
            if not await Connection.of(scope).stays_open(pause_s):
                return
        if len(sent) < len(body):
            await hang(scope, receive, send)
            return
        await send({"type": "http.response.body", "body": b""})

    return answer


def _pace(bytes_per_s: int | None) -> tuple[int, float]:
    """Bytes of a chunk, and the seconds between chunks."""
    if bytes_per_s is None:
        return _CHUNK_BYTES, 0.0
    step = max(1, bytes_per_s // 20)
    return step, step / bytes_per_s


def _truncated(_fault: Fault, healthy: ASGIApp) -> ASGIApp:
    """Half of the healthy response; then the connection is cut, before its Content-Length is reached."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        start, body = await buffered(healthy, scope, receive)
        await send(start)
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        await Connection.of(scope).cut(flush=True)

    return answer


def _short(_fault: Fault, healthy: ASGIApp) -> ASGIApp:
    """Half of the healthy body with a matching Content-Length: only the content is wrong."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        start, body = await buffered(healthy, scope, receive)
        media_type = dict(start["headers"]).get(b"content-type", b"").decode()
        half = Response(body[: len(body) // 2], start["status"], media_type=media_type)
        await half(scope, receive, send)

    return answer


def _empty(fault: Fault, healthy: ASGIApp) -> ASGIApp:
    """No body, under the headers of the healthy response."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        start, _ = await buffered(healthy, scope, receive)
        media_type = dict(start["headers"]).get(b"content-type", b"").decode()
        await Response(b"", fault.status or 200, media_type=media_type)(scope, receive, send)

    return answer


def _html(text: str, status: int, headers: dict[str, str] | None = None) -> Callable[[Fault, ASGIApp], ASGIApp]:
    return lambda fault, _healthy: HTMLResponse(text, fault.status or status, headers)


def _rate_limited(fault: Fault, _healthy: ASGIApp) -> ASGIApp:
    wait_s = fault.retry_after_s
    headers = {} if wait_s is None else {"Retry-After": str(wait_s)}
    return HTMLResponse("<h1>429 Too Many Requests</h1>", fault.status or 429, headers)


def _server_error(fault: Fault, _healthy: ASGIApp) -> ASGIApp:
    status = fault.status or 500
    return HTMLResponse(f"<html><body><h1>{status}</h1>something broke</body></html>", status)


def _garbage(fault: Fault, _healthy: ASGIApp) -> ASGIApp:
    return Response(Random(1).randbytes(2048), fault.status or 200, media_type="application/octet-stream")


def _api_error(fault: Fault, _healthy: ASGIApp) -> ASGIApp:
    return JSONResponse({"code": 500, "data": [], "errorMsg": "Internal error"}, fault.status or 200)


def _app(app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> Callable[[Fault, ASGIApp], ASGIApp]:
    return lambda _fault, _healthy: app


_ANSWERS: dict[FaultKind, Callable[[Fault, ASGIApp], ASGIApp]] = {
    FaultKind.REGION: _html(_REGION, 403),
    FaultKind.RESTRICTED: _html(_REGION, 200),
    FaultKind.CHALLENGE: _html(_CHALLENGE, 403, {"server": "cloudflare", "cf-mitigated": "challenge"}),
    FaultKind.RATE_LIMIT: _rate_limited,
    FaultKind.SERVER_ERROR: _server_error,
    FaultKind.MAINTENANCE: _html(_MAINTENANCE, 503),
    FaultKind.DATABASE: _html(_DATABASE, 200),
    FaultKind.HANG: _app(hang),
    FaultKind.DROP: _app(drop),
    FaultKind.LOST: lambda _fault, healthy: lost(healthy),
    FaultKind.GARBAGE: _garbage,
    FaultKind.HTML: _html(_PAGE, 200),
    FaultKind.API_ERROR: _api_error,
    FaultKind.EMPTY: _empty,
    FaultKind.TRUNCATED: _truncated,
    FaultKind.SHORT: _short,
    FaultKind.MISSING: _html("<html><body><h1>404 Not Found</h1></body></html>", 404),
    **ODD_ANSWERS,
}

_FLAKY = Fault(FaultKind.SERVER_ERROR, status=503)


class ScriptedFaults:
    """Applies the script of a comic to the responses about it."""

    def __init__(self, knobs: Knobs) -> None:
        self._knobs = knobs
        self._resets = knobs.resets
        self._requests: Counter[str] = Counter()
        self._lock = Lock()

    def album(self, comic: Comic, answer: ASGIApp) -> ASGIApp:
        """A response about the album, or a chapter of it that exists."""
        script = comic.script
        if script is None:
            return answer

        async def at_host(scope: Scope, receive: Receive, send: Send) -> None:
            fault = script.answers.get(host_of(scope)) or script.answers.get(role_of(scope)) or script.everywhere
            await _with_fault(fault, script.bytes_per_s, answer)(scope, receive, send)

        return at_host

    def is_lost(self, comic: Comic, chapter: Chapter) -> bool:
        """True when the chapter is missing although the album lists it."""
        return comic.script is not None and chapter.id in comic.script.lost_chapters

    def image(self, comic: Comic, chapter: Chapter, number: int, answer: ASGIApp, *, has_query: bool) -> ASGIApp:
        """The bytes of a page; with a query the CDN asks its origin instead of answering from its cache."""
        script = comic.script
        if script is None:
            return answer
        if self._count_request(f"{chapter.id}/{number}") <= script.images_fail_first:
            return failing(_FLAKY, answer)
        cached = None if has_query else script.cached_pages.get(number)
        fault = cached or script.pages.get(number) or script.images or script.everywhere
        return _with_fault(fault, script.bytes_per_s, answer)

    def cover(self, comic: Comic, answer: ASGIApp) -> ASGIApp:
        """The cover; it fails where all images of the comic do."""
        script = comic.script
        if script is None:
            return answer
        return _with_fault(script.images or script.everywhere, script.bytes_per_s, answer)

    def _count_request(self, name: str) -> int:
        with self._lock:
            if self._resets != self._knobs.resets:
                self._requests.clear()
                self._resets = self._knobs.resets
            self._requests[name] += 1
            return self._requests[name]


def _with_fault(fault: Fault | None, bytes_per_s: int | None, answer: ASGIApp) -> ASGIApp:
    if fault is not None:
        return failing(fault, answer)
    return answer if bytes_per_s is None else slowed(answer, bytes_per_s, None)
