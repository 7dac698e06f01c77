"""Server-sent events: the results of one operation (GraphQL over SSE, distinct connections mode), or any others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import suppress
from typing import Any

import orjson
from starlette.types import Receive, Send

KEEP_ALIVE_S = 12.0
"""Proxies close a connection that is silent for a minute."""

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"private, no-store"),
    (b"x-accel-buffering", b"no"),
]


async def send_events(
    events: AsyncIterator[bytes],
    receive: Receive,
    send: Send,
    endings: Sequence[Awaitable[Any]],
    headers: list[tuple[bytes, bytes]],
) -> None:
    """Send all events; ends early when the client disconnects, or with one of the `endings`: the server stops, the
    caller's token is revoked.
    """
    await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, *headers]})
    ended = [asyncio.ensure_future(ending) for ending in (_disconnected(receive), *endings)]
    try:
        async for chunk in _chunks(events, ended):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        with suppress(OSError):
            await send({"type": "http.response.body", "body": b""})
    finally:
        for task in ended:
            task.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _chunks(events: AsyncIterator[bytes], ended: Sequence[asyncio.Future[Any]]) -> AsyncIterator[bytes]:
    next_event = asyncio.ensure_future(anext(events, None))
    try:
        while not any(task.done() for task in ended):
            await asyncio.wait([next_event, *ended], timeout=KEEP_ALIVE_S, return_when=asyncio.FIRST_COMPLETED)
            if not next_event.done():
                yield b":\n\n"
                continue
            if (event := next_event.result()) is None:
                return
            yield event
            next_event = asyncio.ensure_future(anext(events, None))
    finally:
        next_event.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await next_event
        await events.aclose()  # type: ignore[attr-defined]  # a generator


async def events_of(results: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    """Every result as an event, then `complete`."""
    id = 0
    try:
        async for result in results:
            id += 1
            yield b"event: next\nid: %d\ndata: %s\n\n" % (id, orjson.dumps(formatted(result)))
        yield b"event: complete\ndata:\n\n"
    finally:
        await results.aclose()  # type: ignore[attr-defined]  # every stream of Strawberry is a generator


def formatted(result: Any) -> dict[str, Any]:
    """An execution result as GraphQL over SSE has it."""
    payload: dict[str, Any] = {"data": result.data}
    if result.errors:
        payload["errors"] = [error.formatted for error in result.errors]
    if result.extensions:
        payload["extensions"] = result.extensions
    return payload
