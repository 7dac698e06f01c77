"""What the generated client is built on: operations over HTTP, and each subscription over a WebSocket of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic import BaseModel
from pydantic_core import to_jsonable_python
from websockets import ClientConnection, Subprotocol, connect

from .base_model import UNSET

PROTOCOL = Subprotocol("graphql-transport-ws")


class GraphQLError(Exception):
    """The top-level errors of an answer, as the server wrote them; `data` is what could be resolved all the same."""

    def __init__(self, errors: list[dict[str, Any]], data: dict[str, Any] | None = None) -> None:
        super().__init__("; ".join(str(error["message"]) for error in errors))
        self.errors = errors
        self.data = data

    @property
    def codes(self) -> list[str]:
        """The code of each error: ["UPSTREAM_UNAVAILABLE"]."""
        return [error.get("extensions", {}).get("code", "") for error in self.errors]


class BaseClient:
    """A client of one server; use it in `async with`."""

    def __init__(self, url: str, token: str | None = None, http_client: httpx.AsyncClient | None = None) -> None:
        """`url` is the server's, without a final slash: "http://127.0.0.1:11111".

        `token` is a session's or an access token ("jmg_…"); without one you are a guest, or the owner of an open
        server. `http_client` is for settings of your own, such as a proxy or timeouts.
        """
        self.url = f"{url}/graphql"
        self.token = token
        self.http_client = http_client or httpx.AsyncClient(timeout=60)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http_client.aclose()

    async def execute(
        self, query: str, operation_name: str, variables: Mapping[str, object], **options: Any
    ) -> httpx.Response:
        """The answer to a query or mutation; `options` go to httpx. Raises `httpx.TransportError`."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= options.pop("headers", {})
        body = _operation(query, operation_name, variables)
        return await self.http_client.post(self.url, json=body, headers=headers, **options)

    def get_data(self, response: httpx.Response) -> dict[str, Any]:
        """The data of an answer. Raises `GraphQLError`, and `httpx.HTTPStatusError` for what is no GraphQL."""
        try:
            body = response.json()
        except ValueError:
            body = None
        if not isinstance(body, dict) or not body.keys() & {"data", "errors"}:
            response.raise_for_status()
            raise httpx.DecodingError("the answer is no GraphQL", request=response.request)
        return _data(body)

    async def execute_ws(
        self, query: str, operation_name: str, variables: Mapping[str, object], **options: Any
    ) -> AsyncIterator[dict[str, Any]]:
        """The data of each event, until the subscription ends; `options` go to websockets.

        Raises `GraphQLError`, and `websockets.ConnectionClosed` when the connection ends before.
        """
        url = self.url.replace("http", "ws", 1)
        async with connect(url, subprotocols=[PROTOCOL], **options) as socket:
            await _send(socket, "connection_init", payload={"token": self.token} if self.token else {})
            async for text in socket:
                message = json.loads(text)
                match message["type"]:
                    case "connection_ack":
                        await _send(socket, "subscribe", id="1", payload=_operation(query, operation_name, variables))
                    case "ping":
                        await _send(socket, "pong")
                    case "next":
                        yield _data(message["payload"])
                    case "error":
                        raise GraphQLError(message["payload"])
                    case "complete":
                        return


def _operation(query: str, operation_name: str, variables: Mapping[str, object]) -> dict[str, Any]:
    """An operation as it is sent: variables and fields of inputs that were not given are left out."""
    given = {name: _plain(value) for name, value in variables.items() if value is not UNSET}
    return {"query": query, "operationName": operation_name, "variables": to_jsonable_python(given)}


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(by_alias=True, exclude_unset=True)
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _data(result: dict[str, Any]) -> dict[str, Any]:
    if result.get("errors"):
        raise GraphQLError(result["errors"], result.get("data"))
    data: dict[str, Any] = result["data"]
    return data


async def _send(socket: ClientConnection, kind: str, **fields: object) -> None:
    await socket.send(json.dumps({"type": kind, **fields}))
