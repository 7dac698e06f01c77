"""WebSockets of the server: uvicorn's own, made to answer what can't be read, and to cut off who takes no leave."""

from __future__ import annotations

from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_UNREADABLE = b'{"detail":"The request for a WebSocket could not be read: its address or a header is too long."}'
_REFUSAL = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
    + str(len(_UNREADABLE)).encode()
    + b"\r\n\r\n"
    + _UNREADABLE
)


class SocketProtocol(WebSocketsSansIOProtocol):
    """One connection.

    uvicorn 0.54 leaves a handshake that its parser refused without an answer, for ever. And when it closes a
    connection, it waits for the client to take what was sent before: for ever too, where the client reads no more.
    """

    cut_after_s = 15.0
    """Longer than a closing handshake may take (10 s)."""

    def data_received(self, data: bytes) -> None:
        """Bytes of the client."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.transport.is_closing():
            self.transport.write(_REFUSAL)
            self._leave()

    def keepalive_timeout(self) -> None:
        """No answer to a ping."""
        super().keepalive_timeout()
        self._leave()

    async def run_asgi(self) -> None:
        """The application, from the handshake to its end."""
        await super().run_asgi()
        self.loop.call_later(self.cut_after_s, self._cut)

    def _leave(self) -> None:
        self.transport.close()
        self.loop.call_later(self.cut_after_s, self._cut)

    def _cut(self) -> None:
        if not self.disconnected:
            cast(Any, self.transport).abort()
