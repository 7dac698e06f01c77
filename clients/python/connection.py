"""A client of one server, with HTTP and the WebSocket of subscriptions set up alike."""

from __future__ import annotations

from .client import JmgraphClient


def connect(url: str, token: str | None = None) -> JmgraphClient:
    """A client of the server at `url`, without a final slash: "http://127.0.0.1:11111". Use it in `async with`.

    `token` is a session's or an access token ("jmg_…"); without one you are a guest, or the owner of an open server.
    """
    return JmgraphClient(
        url=f"{url}/graphql",
        headers={"Authorization": f"Bearer {token}"} if token else None,
        ws_url=f"{url}/graphql".replace("http", "ws", 1),
        ws_connection_init_payload={"token": token} if token else None,
    )
