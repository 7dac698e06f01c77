"""Operations over WebSocket, in both sub-protocols, by Strawberry's handlers.

A malformed frame closes with 4400, and a caller whose token is refused or revoked with 4403.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, Self, cast

import orjson
from graphql import GraphQLError, GraphQLFormattedError
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry.asgi import GraphQL
from strawberry.schema import BaseSchema
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_ws.handlers import BaseGraphQLWSHandler

from resolvers.context import Context
from services.errors import JmgraphError, RateLimited, StorageUnavailable, Unauthenticated
from services.observability import take_request
from services.tasks import cancel_and_wait

INIT_WAIT = timedelta(seconds=20)
KEEP_ALIVE_S = 20.0


FORBIDDEN = 4403
"""Close code of a caller who is refused, as clients of `graphql-transport-ws` know it."""


class _Revocation:
    """Calls `revoke` once the caller of a socket may no longer do what they could; used as a context manager."""

    def __init__(self, context: Context, revoke: Callable[[], Awaitable[None]]) -> None:
        self._context = context
        self._revoke = revoke
        self._task = self._start()

    def _start(self) -> asyncio.Task[None]:
        return asyncio.create_task(self._watch(), name="revocation of a socket")

    async def _watch(self) -> None:
        await self._context.wait_until_revoked()
        with suppress(WebSocketDisconnect, RuntimeError, OSError):  # the client has closed meanwhile
            await self._revoke()

    async def restart(self) -> None:
        """Watch the caller whom `connection_init` has named."""
        await cancel_and_wait(self._task)
        self._task = self._start()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await cancel_and_wait(self._task)


class TransportHandler(BaseGraphQLTransportWSHandler[Context, None]):  # private API of Strawberry
    """`graphql-transport-ws`; a malformed frame closes the socket instead of raising."""

    async def handle(self) -> None:
        """Handle frames until one side closes, or the caller's token is revoked."""
        async with _Revocation(self.context, self._revoke) as self._revocation:
            await super().handle()

    async def handle_message(self, message: Any) -> None:
        """Handle a well-formed frame."""
        if not _is_valid_frame(message, "subscribe"):
            await self.handle_invalid_message("Failed to parse message")
            return
        if message["type"] == "subscribe" and not await _is_still_valid(self.context):
            await self._revoke()
            return
        if message["type"] == "subscribe" and (refused := _one_too_many()) is not None:
            await self.send_message({"id": message["id"], "type": "error", "payload": [refused]})
            return
        await super().handle_message(_without_null_payload(message))

    async def handle_connection_init(self, message: Any) -> None:
        """Acknowledge, unless the payload has a token that is refused."""
        if await _refusal(self.context, message) is not None:
            await self.websocket.close(code=FORBIDDEN, reason="Forbidden")
            return
        await self._revocation.restart()
        await super().handle_connection_init(message)

    async def _revoke(self) -> None:
        for id in list(self.operations):
            await self.cleanup_operation(id)
        await self.websocket.close(code=FORBIDDEN, reason="Forbidden")


class _StreamingSchema:
    """Runs any operation where Strawberry's handler of the old sub-protocol runs subscriptions only: clients of that
    protocol send queries and mutations over the socket too.
    """

    def __init__(self, schema: BaseSchema) -> None:
        self.subscribe = schema.stream  # private API of Strawberry


class LegacyHandler(BaseGraphQLWSHandler[Context, None]):  # private API of Strawberry
    """The old `graphql-ws`; a malformed frame closes the socket instead of raising."""

    def __init__(self, *, schema: BaseSchema, **kwargs: Any) -> None:
        super().__init__(schema=cast("BaseSchema", _StreamingSchema(schema)), **kwargs)

    async def handle(self) -> None:
        """Handle frames until one side closes, or the caller's token is revoked."""
        async with _Revocation(self.context, self._revoke) as self._revocation:
            await super().handle()

    async def handle_message(self, message: Any) -> None:
        """Handle a well-formed frame."""
        if not _is_valid_frame(message, "start"):
            await self.websocket.close(code=4400, reason="Failed to parse message")
            return
        if message["type"] == "start" and not await _is_still_valid(self.context):
            await self._revoke()
            return
        if message["type"] == "start" and (refused := _one_too_many()) is not None:
            await self.send_message({"id": message["id"], "type": "error", "payload": refused})
            return
        await super().handle_message(_without_null_payload(message))

    async def handle_connection_init(self, message: Any) -> None:
        """Acknowledge, unless the payload has a token that is refused."""
        if (error := await _refusal(self.context, message)) is not None:
            payload = {"message": error.message, **error.extensions}
            await self.send_message({"type": "connection_error", "payload": payload})
            await self.websocket.close(code=FORBIDDEN, reason="Forbidden")
            return
        await self._revocation.restart()
        await super().handle_connection_init(message)

    async def _revoke(self) -> None:
        await self.cleanup()
        await self.websocket.close(code=FORBIDDEN, reason="Forbidden")


async def _refusal(context: Context, message: dict[str, Any]) -> JmgraphError | None:
    """Take the credentials of a `connection_init`; why they are refused, or None."""
    try:
        await context.read_connection_params(message.get("payload") or {})
    except JmgraphError as error:
        return error
    return None


def _one_too_many() -> GraphQLFormattedError | None:
    """The error of an operation that is one too many for its client; None for any other."""
    try:
        take_request()
    except RateLimited as error:
        return GraphQLError(error.message, extensions=error.extensions).formatted
    return None


async def _is_still_valid(context: Context) -> bool:
    try:
        await context.verify_caller_again()
    except Unauthenticated:
        return False
    except StorageUnavailable:
        return True  # a socket that was open before goes on; nothing is known of a revocation
    return True


_NEEDS_ID = frozenset({"subscribe", "start", "complete", "stop"})


def _is_valid_frame(message: Any, start_type: str) -> bool:
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return False
    if message["type"] in _NEEDS_ID and not isinstance(message.get("id"), str):
        return False
    if not _is_object(message.get("payload")):
        return False
    return message["type"] != start_type or _is_operation(message.get("payload"))


def _is_operation(payload: Any) -> bool:
    return (
        isinstance(payload, dict)
        and isinstance(payload.get("query"), str)
        and _is_object(payload.get("variables"))
        and isinstance(payload.get("operationName") or "", str)
    )


def _is_object(value: Any) -> bool:
    return value is None or isinstance(value, dict)


def _without_null_payload(message: dict[str, Any]) -> Any:
    return {key: value for key, value in message.items() if key != "payload" or value is not None}


class WebSocketEndpoint(GraphQL[Context, None]):
    """The WebSocket part of `/graphql`."""

    graphql_transport_ws_handler_class = TransportHandler
    graphql_ws_handler_class = LegacyHandler

    def __init__(self, schema: BaseSchema) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            keep_alive=True,
            keep_alive_interval=KEEP_ALIVE_S,
            connection_init_wait_timeout=INIT_WAIT,
            allowed_origins=("*",),  # origins are checked per operation, since any page may read
        )

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:  # noqa: ARG002
        """One context per socket; its loaders keep nothing between events."""
        return Context.of(request.scope, request.app.state.services)

    def decode_json(self, data: str | bytes) -> object:
        """JSON of a frame; None, which is no valid frame, for invalid JSON.

        Half a surrogate pair is invalid, since no response could contain it; so is too deep nesting.
        """
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            return None

    def encode_json(self, data: object) -> str:
        """JSON of a text frame."""
        return orjson.dumps(data).decode()
