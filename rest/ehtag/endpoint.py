"""The door of the EhTag API: methods, CORS, compression, `Vary` and the ETag, the same for every address of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rest.answers import refusal, response_of
from rest.compression import compressed
from rest.operations import Operation
from services.errors import JmgraphError, StaleVersion, Unauthenticated

BASE = "/api"

LONGEST_BODY = 64 * 1024
"""Bytes a request may bring; the longest record of the database has a tenth of this."""

VARY = "Accept, Accept-Encoding, Origin"

_METHODS = "OPTIONS, HEAD, GET, PUT, POST, DELETE"
_PREFLIGHT = {
    "Access-Control-Allow-Methods": _METHODS,
    "Access-Control-Allow-Headers": "If-Match, If-None-Match, Content-Type, X-Token, Authorization",
    "Access-Control-Max-Age": "86400",
}


class Door:
    """One address: an ASGI application over its operations, each a method."""

    def __init__(self, operations: Mapping[str, Operation]) -> None:
        self._operations = operations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        response = await self._answer(request)
        _finish(request, response)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": self._allowed, **_PREFLIGHT})
        try:
            answer = await self._operation(request).handle(request)
            return cast(Response, answer)  # the rooms of this API give no other
        except HTTPException as error:
            return refusal(error.status_code, error.detail, error.headers)
        except JmgraphError as error:
            return _refusal(error)
        except ClientDisconnect:
            return refusal(400, "The body did not arrive.")

    def _operation(self, request: Request) -> Operation:
        if not self._operations:
            raise HTTPException(404, "There is nothing at this address.")
        operation = self._operations.get(request.method)
        if operation is None:
            raise HTTPException(405, f"{request.method} is not possible here.", {"Allow": self._allowed})
        return operation

    @property
    def _allowed(self) -> str:
        return ", ".join(("OPTIONS", *self._operations))


nowhere = Door({})
"""What answers at addresses that are none."""


def quoted(sha: str) -> str:
    """An ETag."""
    return f'"{sha}"'


def _refusal(error: JmgraphError) -> Response:
    response = response_of(error)
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, StaleVersion) and error.head_sha:
        response.headers["ETag"] = quoted(error.head_sha)
    return response


def _finish(request: Request, response: Response) -> None:
    """What every answer carries, and no body where there must be none."""
    headers = response.headers
    headers["Access-Control-Allow-Origin"] = "*"
    headers["Access-Control-Expose-Headers"] = "ETag, Location"
    headers["Vary"] = VARY
    headers.setdefault("Cache-Control", "no-cache")
    if request.method != "OPTIONS" and (response.status_code == 404 or 200 <= response.status_code < 300):
        headers.setdefault("ETag", quoted(request.app.state.services.tags.state.sha))
    _compress(request, response)
    if request.method == "HEAD":
        response.body = b""


def _compress(request: Request, response: Response) -> None:
    smaller = compressed(bytes(response.body), request.headers.get("accept-encoding", ""))
    if smaller:
        response.body, response.headers["Content-Encoding"] = smaller
        response.headers["Content-Length"] = str(len(response.body))
