"""GitHub's word that the remote has moved, checked by its signature."""

from __future__ import annotations

import hashlib
import hmac

from starlette.requests import Request
from starlette.responses import Response

from rest.answers import json_response
from rest.ehtag.endpoint import quoted
from rest.ehtag.requests import refuse_long
from services.ehtag import TagDatabase
from services.errors import NotFound, Unauthenticated

_LONGEST = 25 * 1024 * 1024
"""Bytes; GitHub's own limit. A push of many edits is longer than any record, and it is hashed as it comes in."""


async def update(request: Request) -> Response:
    """Fetch and move to the remote's head on a push; any other event is only acknowledged."""
    services = request.app.state.services
    secret = services.settings.ehtag_webhook_secret.get_secret_value()
    if not secret:
        raise NotFound("No webhook is set up: JMGRAPH_EHTAG_WEBHOOK_SECRET is empty.")
    await _check(request, secret)
    tags: TagDatabase = services.tags
    event = request.headers.get("x-github-event", "")
    outcome = (await tags.sync()).value if event == "push" else "IGNORED"
    state = tags.state
    return json_response({"event": event, "outcome": outcome, "sha": state.sha}, headers={"ETag": quoted(state.sha)})


async def _check(request: Request, secret: str) -> None:
    """Raise `Unauthenticated` unless the body is signed with the secret."""
    refuse_long(request, _LONGEST)
    digest = hmac.new(secret.encode(), digestmod=hashlib.sha256)
    async for part in request.stream():
        digest.update(part)
    given = request.headers.get("x-hub-signature-256", "")
    if not hmac.compare_digest(f"sha256={digest.hexdigest()}".encode(), given.encode()):
        raise Unauthenticated("The signature does not fit the secret.")
