"""Rooms that answer on an address with several methods (`operations.py`), errors in the words of the room."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

import rest.path_convertors  # noqa: F401 (the notation of paths)
from rest.operations import Address, Operation
from services.errors import JmgraphError

Refusal = Callable[[int, str, Mapping[str, str]], Response]
"""Makes a room's error body from status, sentence and headers."""


class Room:
    """One address: an ASGI application over its operations; HEAD is answered where GET is. Without any it is 404."""

    def __init__(
        self,
        operations: Mapping[str, Operation],
        refusal: Refusal,
        response_of: Callable[[JmgraphError], Response],
    ) -> None:
        self._operations = dict(operations)
        if "GET" in self._operations:
            self._operations.setdefault("HEAD", self._operations["GET"])
        self._refusal = refusal
        self._response_of = response_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        operation = self._operations.get(request.method)
        if operation is None:
            await self._refused()(scope, receive, send)
            return
        try:
            response = await operation.handle(request)
            await response(scope, receive, send)
        except JmgraphError as error:  # files are looked for when they are sent, before the first byte
            await self._response_of(error)(scope, receive, send)

    def _refused(self) -> Response:
        if not self._operations:
            return self._refusal(404, "Not Found", {})
        return self._refusal(405, "Method Not Allowed", {"Allow": ", ".join(self._operations)})


def routes_of(
    addresses: Iterable[Address], refusal: Refusal, response_of: Callable[[JmgraphError], Response]
) -> list[BaseRoute]:
    """The routes of a table of addresses."""
    return [Route(address.path, Room(address.operations, refusal, response_of)) for address in addresses]
