"""What all addresses of the EhTag API have in common: methods, errors, CORS, `Vary`, ETag and compression."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rest.responses import compress, error_response, http_error_response, jmgraph_error_response
from services.errors import JmgraphError, StaleVersion, Unauthenticated
from services.http_semantics import BodyIncomplete, BodyTooLarge, quote_etag

_METHODS = ("OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE")
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "OPTIONS, HEAD, GET, PUT, POST, DELETE",
    "Access-Control-Allow-Headers": "If-Match, If-None-Match, Content-Type, X-Token, Authorization",
    "Access-Control-Max-Age": "86400",
}


class TagEndpoint(HTTPEndpoint):
    """An address: its methods are `get`, `head`, `post`, `put` and `delete`."""

    async def dispatch(self) -> None:
        """Answer one request; any method but those six is 405, whatever the class has under that name."""
        request = Request(self.scope, self.receive)
        if request.method not in _METHODS:
            await self.method_not_allowed(request)
        await super().dispatch()

    async def options(self, _: Request) -> Response:
        """The methods of this address, and what a page of another origin may send."""
        return Response(status_code=204, headers={"Allow": self._allow, **_PREFLIGHT})

    async def method_not_allowed(self, request: Request) -> Response:
        """Raise 405 with the methods that are possible."""
        raise HTTPException(405, f"{request.method} is not possible here.", {"Allow": self._allow})

    @property
    def _allow(self) -> str:
        return ", ".join(method for method in _METHODS if hasattr(self, method.lower()))


class UnknownPath(TagEndpoint):
    """What answers at any other path."""

    async def method_not_allowed(self, _: Request) -> Response:
        """Raise 404, whatever the method."""
        raise HTTPException(404, "There is nothing at this address.")


async def _handle_http_exception(_: Request, error: HTTPException) -> Response:
    return http_error_response(error)


async def _handle_jmgraph_error(_: Request, error: JmgraphError) -> Response:
    response = jmgraph_error_response(error)
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, StaleVersion) and error.head_sha:
        response.headers["ETag"] = quote_etag(error.head_sha)
    return response


async def _handle_body_too_large(_: Request, error: BodyTooLarge) -> Response:
    return error_response(413, "BAD_REQUEST", str(error))


async def _handle_body_incomplete(_: Request, error: BodyIncomplete) -> Response:
    return error_response(400, "BAD_REQUEST", str(error))


exception_handlers: dict[Any, Callable[[Request, Any], Awaitable[Response]]] = {
    HTTPException: _handle_http_exception,
    JmgraphError: _handle_jmgraph_error,
    BodyTooLarge: _handle_body_too_large,
    BodyIncomplete: _handle_body_incomplete,
}


class TagApiMiddleware:
    """Completes each response: CORS, `Vary`, `Cache-Control`, the version as ETag, compression, no body for HEAD."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold back the start of the response until its body is complete."""
        start: Message = {}
        body = bytearray()

        async def send_complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body", False):
                finished = _finish(scope, start, bytes(body))
                await send(start)
                await send({"type": "http.response.body", "body": finished})

        await self._app(scope, receive, send_complete)


def _finish(scope: Scope, start: Message, body: bytes) -> bytes:
    """Complete the headers of a response; the body to send."""
    headers = MutableHeaders(raw=start["headers"])
    headers["Access-Control-Allow-Origin"] = "*"
    headers["Access-Control-Expose-Headers"] = "ETag, Location"
    headers["Vary"] = "Accept, Accept-Encoding, Origin"
    headers.setdefault("Cache-Control", "no-cache")
    status = start["status"]
    if scope["method"] != "OPTIONS" and (status == 404 or 200 <= status < 300):
        headers.setdefault("ETag", quote_etag(scope["app"].state.services.tags.state.sha))
    accept_encoding = Headers(scope=scope).get("accept-encoding", "")
    if (compressed := compress(body, accept_encoding)) is not None:
        body, headers["Content-Encoding"] = compressed
        headers["Content-Length"] = str(len(body))
    return b"" if scope["method"] == "HEAD" else body
