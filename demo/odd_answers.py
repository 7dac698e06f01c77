"""Answers that are well formed and still not what was requested, as the real site sends them at times."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from demo.asgi import buffered, role_of
from demo.crypto import decrypted, encrypted, time_of
from demo.generated import DECOY_ID
from demo.records import Fault, FaultKind

LOGIN_PATH = "/login"

_API_PATHS = ("/album", "/chapter")
_WEB_PATH = re.compile(r"^/(album|photo)/\d+")
_WEB_TOTAL = re.compile(rb'<div>[^<]*<span class="text-white">\d+</span>[^<]*</div>\n')
_SCRAMBLE_ID = re.compile(rb"var scramble_id = \d+;\n")
_ENCRYPTED = b'{"code":200,"data":"'
"""How every answer of the API begins that has something to say."""

_BAD_REQUEST = "<html><body><h1>400 Bad Request</h1></body></html>"


def with_image_hosts(hosts: str | Sequence[str], healthy: ASGIApp) -> ASGIApp:
    """The app's settings with this in place of the image host; other answers as they are."""
    return _rewritten(_in_data(lambda data: data | {"img_host": hosts} if "img_host" in data else data), healthy)


def _decoy(_fault: Fault, healthy: ASGIApp) -> ASGIApp:
    """The album or chapter of one and the same number, whatever number was requested."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in _API_PATHS:
            scope = {**scope, "query_string": f"id={DECOY_ID}".encode()}
        path = _WEB_PATH.sub(rf"/\1/{DECOY_ID}", scope["path"])
        await healthy({**scope, "path": path}, receive, send)

    return answer


def _empty_data(fault: Fault, healthy: ASGIApp) -> ASGIApp:
    empty = b'{"code":200,"data":' + fault.shape.encode() + b"}"
    return _rewritten(lambda _scope, body: empty if body.startswith(_ENCRYPTED) else body, healthy)


def _no_total(_fault: Fault, healthy: ASGIApp) -> ASGIApp:
    without = _in_data(lambda data: {name: value for name, value in data.items() if name != "total"})
    return _rewritten(lambda scope, body: without(scope, _WEB_TOTAL.sub(b"", body)), healthy)


def _odd_shapes(_fault: Fault, healthy: ASGIApp) -> ASGIApp:
    return _rewritten(_in_data(_odd), healthy)


def _no_scramble_id(_fault: Fault, healthy: ASGIApp) -> ASGIApp:
    return _rewritten(lambda _scope, body: _SCRAMBLE_ID.sub(b"", body), healthy)


def _login(fault: Fault, healthy: ASGIApp) -> ASGIApp:
    """Code 401 of the API; the web pages redirect to the one that asks for a login."""
    by_role = _by_role(_refusal(401, "請先登入會員", fault), RedirectResponse(LOGIN_PATH, 302))

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await (healthy if scope["path"] == LOGIN_PATH else by_role)(scope, receive, send)

    return answer


def _refused_id(fault: Fault, _healthy: ASGIApp) -> ASGIApp:
    """Code 400 of the API; a web page with status 400."""
    return _by_role(_refusal(400, "參數錯誤", fault), HTMLResponse(_BAD_REQUEST, 400))


def _refusal(code: int, message: str, fault: Fault) -> JSONResponse:
    return JSONResponse({"code": code, "data": [], "errorMsg": message}, fault.status or 200)


def _by_role(api: ASGIApp, web: ASGIApp) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await (web if role_of(scope) == "html" else api)(scope, receive, send)

    return answer


ODD_ANSWERS: dict[FaultKind, Callable[[Fault, ASGIApp], ASGIApp]] = {
    FaultKind.DECOY: _decoy,
    FaultKind.EMPTY_DATA: _empty_data,
    FaultKind.NO_TOTAL: _no_total,
    FaultKind.ODD_SHAPES: _odd_shapes,
    FaultKind.LOGIN: _login,
    FaultKind.REFUSED_ID: _refused_id,
    FaultKind.NO_SCRAMBLE_ID: _no_scramble_id,
}


def _odd(value: Any) -> Any:
    """The same in the shapes that PHP turns it into: lists and objects swapped, numbers and texts, null for ""."""
    match value:
        case bool():
            return value
        case dict():
            return {name: _odd(one) for name, one in value.items()} or []
        case list():
            return {str(index): _odd(one) for index, one in enumerate(value)}
        case int():
            return str(value)
        case "":
            return None
        case str() if value.isascii() and value.isdigit():
            return int(value)
    return value


def _in_data(edit: Callable[[Any], Any]) -> Callable[[Scope, bytes], bytes]:
    """An edit of what an answer of the API says, as one of its encrypted body; other bodies stay as they are."""

    def rewrite(scope: Scope, body: bytes) -> bytes:
        headers = Headers(scope=scope)
        stamp = time_of(headers.get("token", ""), headers.get("tokenparam", ""))
        if stamp is None or not body.startswith(_ENCRYPTED):
            return body
        data = edit(decrypted(json.loads(body)["data"], stamp))
        return json.dumps({"code": 200, "data": encrypted(data, stamp)}, separators=(",", ":")).encode()

    return rewrite


def _rewritten(rewrite: Callable[[Scope, bytes], bytes], healthy: ASGIApp) -> ASGIApp:
    """The healthy response with another body and the length of that."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        start, body = await buffered(healthy, scope, receive)
        if not start:
            return
        body = rewrite(scope, body)
        headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})

    return answer
