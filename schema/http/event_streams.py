"""GraphQL over SSE, single connection mode: the streams of this process, each with all operations of one client.

PUT reserves a stream and gives its token, GET opens it, POST starts an operation whose results it carries, DELETE
stops one. A browser has six connections to a server over HTTP/1; six streams of one operation each would use them up.
Source: the protocol of graphql-sse 2.6, "Single connection mode".
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable
from contextlib import aclosing
from typing import Any

import orjson
import structlog

from schema.http.errors import BAD_REQUEST, RequestError
from schema.http.sse import formatted
from services.errors import ErrorCode, Internal
from services.tasks import cancel_and_wait

log = structlog.get_logger("jmgraph.graphql")

RESERVED_S = 30.0
"""A client opens its stream at once; a reservation without one ends after this."""

MAX_RESERVATIONS = 1000
"""That wait for their GET, in this process."""

MAX_OPERATIONS = 100
"""Of one stream."""

NO_SUCH_STREAM = (
    "There is no such stream here, or it has ended: reserve another by PUT. Streams live in one API process; "
    "where several serve one address, each client must stay at one of them (sticky sessions)."
)

SEVERAL_PROCESSES = (
    "Several API processes share this address (--workers), and a stream lives in one of them: "
    "use a WebSocket, or a stream for each operation."
)


class EventStream:
    """A stream of one client. `owner` is the credential that reserved it; no other may use it."""

    def __init__(self, owner: Hashable) -> None:
        self.owner = owner
        self.is_open = False
        self.operations: dict[str, asyncio.Task[None]] = {}
        self._events: asyncio.Queue[bytes] = asyncio.Queue(1)  # a slow client slows its operations, and no others

    def start(self, id: str, results: Callable[[], Awaitable[AsyncGenerator[Any, None]]]) -> None:
        """Send the results of an operation on this stream, then that it is complete."""
        self.operations[id] = asyncio.create_task(self._run(id, results), name="operation of a stream")

    async def stop(self, id: str) -> None:
        """End an operation, if it still runs; no event says so."""
        if (task := self.operations.pop(id, None)) is not None:
            await cancel_and_wait(task)

    async def events(self) -> AsyncIterator[bytes]:
        """The events of all operations, until it is closed."""
        while True:
            yield await self._events.get()

    async def aclose(self) -> None:
        """End all operations."""
        await cancel_and_wait(*self.operations.values())

    async def _run(self, id: str, results: Callable[[], Awaitable[AsyncGenerator[Any, None]]]) -> None:
        try:
            async with aclosing(await results()) as found:
                async for result in found:
                    await self._send("next", {"id": id, "payload": formatted(result)})
        except Exception as error:
            log.error("an operation of a stream failed", exc_info=error)
            failure = Internal()
            errors = [{"message": failure.message, "extensions": failure.extensions}]
            await self._send("next", {"id": id, "payload": {"errors": errors}})
        if self.operations.get(id) is asyncio.current_task():
            del self.operations[id]  # before the client learns of it, which may use the id again
        await self._send("complete", {"id": id})

    async def _send(self, kind: str, data: dict[str, Any]) -> None:
        await self._events.put(b"event: %s\ndata: %s\n\n" % (kind.encode(), orjson.dumps(data)))


class EventStreams:
    """The streams of this process by their tokens, reserved or open."""

    def __init__(self) -> None:
        self._streams: dict[str, EventStream] = {}
        self._expiries: dict[str, asyncio.Task[None]] = {}

    def reserve(self, owner: Hashable) -> str:
        """The token of a new stream, which ends unless it is opened soon. Raises `RequestError` for one too many."""
        if len(self._expiries) >= MAX_RESERVATIONS:
            raise RequestError(503, ErrorCode.BUSY, "Too many streams are reserved now; try again in a moment.")
        token = secrets.token_urlsafe(24)
        self._streams[token] = EventStream(owner)
        self._expiries[token] = asyncio.create_task(self._expire(token), name="expiry of a reserved stream")
        return token

    def find(self, token: str, owner: Hashable) -> EventStream:
        """The stream of this token. Raises `RequestError` (404) where there is none, or it is somebody else's."""
        stream = self._streams.get(token)
        if stream is None or stream.owner != owner:
            raise RequestError(404, ErrorCode.NOT_FOUND, NO_SUCH_STREAM)
        return stream

    def open(self, token: str, owner: Hashable) -> EventStream:
        """The stream of this token, which is open from now on. Raises `RequestError`: 404, or 409 when it is open."""
        stream = self.find(token, owner)
        if stream.is_open:
            raise RequestError(409, ErrorCode.CONFLICT, "This stream is open already.")
        stream.is_open = True
        self._expiries.pop(token).cancel()
        return stream

    async def close(self, token: str) -> None:
        """End a stream with all its operations; its token is no longer valid."""
        await self._streams.pop(token).aclose()

    async def _expire(self, token: str) -> None:
        await asyncio.sleep(RESERVED_S)
        del self._expiries[token]
        await self.close(token)


def check_operation(stream: EventStream, id: str | None) -> str:
    """The id of a new operation. Raises `RequestError` without one, for one that runs, and for one too many."""
    if not id:
        raise RequestError(400, BAD_REQUEST, "An operation on a stream needs extensions.operationId, a string.")
    if id in stream.operations:
        raise RequestError(409, ErrorCode.CONFLICT, "An operation of this id runs on this stream already.")
    if len(stream.operations) >= MAX_OPERATIONS:
        raise RequestError(429, ErrorCode.RATE_LIMITED, f"A stream has at most {MAX_OPERATIONS} operations.")
    return id
