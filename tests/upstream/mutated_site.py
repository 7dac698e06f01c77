"""The demo site with one kind of its answers mutated, behind a server that is quick enough for thousands of them."""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.types import Message, Scope

from demo.asgi import Connection, buffered
from demo.crypto import decrypted, encrypted_bytes, time_of
from demo.site import DemoSite

MutateData = Callable[[Any], bytes]
"""What the site says, to the JSON (or not quite) that is sent in its place."""

MutateBody = Callable[[bytes], bytes]

_ENCRYPTED = b'{"code":200,"data":"'
_BASE64 = re.compile(rb'base64DecodeUtf8\("([^"]*)"\)')


class MutatedSite:
    """The site at `url`: API, web pages and CDN. An answer whose address begins with a text in `data` is mutated
    before it is encrypted, one in `bodies` as it is sent; the others are the demo's own.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connections: set[asyncio.Task[None]] = set()
        self.url = ""
        self.data: dict[str, MutateData] = {}
        self.bodies: dict[str, MutateBody] = {}

    def reset(self) -> None:
        """Answer as the demo does."""
        self.data.clear()
        self.bodies.clear()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[MutatedSite]:
        """Listen on loopback until the block ends."""
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        # the name of a host decides nothing here: each role is served by the address
        self._site = DemoSite(self._folder, {port: "image-1"})
        try:
            yield self
        finally:
            server.close()
            for connection in self._connections:
                connection.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            self._connections.add(task)
        try:
            await self._answer_all(reader, writer)
        finally:
            writer.close()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                status, headers, body = await self._answer(head, writer)
                lines = [f"HTTP/1.1 {status} OK", f"Content-Length: {len(body)}", *headers, "", ""]
                writer.write("\r\n".join(lines).encode() + body)
                await writer.drain()

    async def _answer(self, head: bytes, writer: asyncio.StreamWriter) -> tuple[int, list[str], bytes]:
        first, *lines = head.decode("latin-1").split("\r\n")
        target = first.split(" ")[1]
        headers = [
            (name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines) if name
        ]
        scope = _scope(target, headers, self.url, writer)
        start, body = await buffered(self._site, scope, _no_body)
        sent = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        kept = [f"{name}: {sent[name]}" for name in ("location", "content-type") if name in sent]
        return start["status"], kept, self._mutated(target, dict(headers), body)

    def _mutated(self, target: str, headers: dict[str, str], body: bytes) -> bytes:
        for begin, mutate in self.data.items():
            if target.startswith(begin):
                return _with_data(body, headers, mutate)
        for begin, mutate_body in self.bodies.items():
            if target.startswith(begin):
                return _with_page(body, mutate_body)
        return body


def _scope(target: str, headers: list[tuple[str, str]], url: str, writer: asyncio.StreamWriter) -> Scope:
    parts = urlsplit(target)
    transport: Any = writer.transport
    return {
        "type": "http",
        "method": "GET",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers],
        "server": ("127.0.0.1", urlsplit(url).port),
        "root_path": "",
        "scheme": "http",
        "extensions": {"demo": {"connection": Connection(transport)}},
    }


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def _with_data(body: bytes, headers: dict[str, str], mutate: MutateData) -> bytes:
    """The answer with mutated data; where the data is not encrypted, as the site sends an empty one, as it is."""
    stamp = time_of(headers.get("token", ""), headers.get("tokenparam", ""))
    if stamp is None or not body.startswith(_ENCRYPTED):
        return body
    plain = mutate(decrypted(json.loads(body)["data"], stamp))
    return json.dumps({"code": 200, "data": encrypted_bytes(plain, stamp)}).encode()


def _with_page(body: bytes, mutate: MutateBody) -> bytes:
    """The mutated page; where the page is in base64 inside of another, that one is mutated."""
    hidden = _BASE64.search(body)
    if hidden is None:
        return mutate(body)
    page = b64encode(mutate(b64decode(hidden[1])))
    return body[: hidden.start(1)] + page + body[hidden.end(1) :]
