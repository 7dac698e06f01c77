"""Operations over WebSocket, in both sub-protocols, by Strawberry's handlers; a malformed frame closes with 4400."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.schema import BaseSchema
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_ws.handlers import BaseGraphQLWSHandler

from resolvers.context import Context

INIT_WAIT = timedelta(seconds=20)
KEEP_ALIVE_S = 20.0


class TransportHandler(BaseGraphQLTransportWSHandler[Context, None]):  # private API of Strawberry
    """`graphql-transport-ws`; a malformed frame closes the socket instead of raising."""

    async def handle_message(self, message: Any) -> None:
        """Handle a well-formed frame."""
        if not _is_valid_frame(message, "subscribe"):
            await self.handle_invalid_message("Failed to parse message")
            return
        await super().handle_message(_without_null_payload(message))


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

    async def handle_message(self, message: Any) -> None:
        """Handle a well-formed frame."""
        if not _is_valid_frame(message, "start"):
            await self.websocket.close(code=4400, reason="Failed to parse message")
            return
        await super().handle_message(_without_null_payload(message))


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
