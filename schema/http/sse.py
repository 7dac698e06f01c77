"""Operations over server-sent events, each on a connection of its own (GraphQL over SSE, distinct connections)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

import orjson
from starlette.types import Receive, Send

HEARTBEAT_S = 12.0
"""Well under the minute after which proxies drop a silent connection."""

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


async def send_events(
    results: AsyncIterator[Any],
    receive: Receive,
    send: Send,
    stopping: asyncio.Event,
    headers: list[tuple[bytes, bytes]],
) -> None:
    """Send every result as an event, then `complete`; ends when the client goes or the server stops."""
    await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, *headers]})
    ended = [asyncio.ensure_future(_gone(receive)), asyncio.ensure_future(stopping.wait())]
    try:
        async for chunk in _chunks(results, ended):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        with suppress(OSError):
            await send({"type": "http.response.body", "body": b""})
    finally:
        for task in ended:
            task.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _chunks(results: AsyncIterator[Any], ended: Sequence[asyncio.Future[Any]]) -> AsyncIterator[bytes]:
    number = 0
    following = asyncio.ensure_future(anext(results, None))
    try:
        while not any(task.done() for task in ended):
            await asyncio.wait([following, *ended], timeout=HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED)
            if not following.done():
                yield b":\n\n"
                continue
            if (result := following.result()) is None:
                yield b"event: complete\ndata:\n\n"
                return
            number += 1
            yield b"event: next\nid: %d\ndata: %s\n\n" % (number, orjson.dumps(payload_of(result)))
            following = asyncio.ensure_future(anext(results, None))
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await following
        await results.aclose()  # type: ignore[attr-defined]  # every stream of Strawberry is a generator


def payload_of(result: Any) -> dict[str, Any]:
    """An execution result as clients read it."""
    payload: dict[str, Any] = {"data": result.data}
    if result.errors:
        payload["errors"] = [error.formatted for error in result.errors]
    if result.extensions:
        payload["extensions"] = result.extensions
    return payload
