"""`/healthz`: alive. `/readyz`: one entry a neighbour; degraded is still ready, since reads go on."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from rest.answers import json_response
from services.neighbours import check_neighbours
from services.wiring import Services

CHECK_S = 3.0
"""A neighbour that gives no answer in this time is down, as far as a load balancer cares."""


async def healthz(_: Request) -> Response:
    """Alive: the event loop turns."""
    return json_response({"status": "ok"})


async def readyz(request: Request) -> Response:
    """Ready or degraded with 200; 503 only while starting or stopping."""
    services: Services | None = getattr(request.app.state, "services", None)
    if services is None or request.app.state.stopping.is_set():
        return json_response({"status": "unavailable", "checks": {}}, 503)
    checks = await check_neighbours(services, CHECK_S)
    status = "ready" if all(check["status"] == "ok" for check in checks.values()) else "degraded"
    return json_response({"status": status, "checks": checks})


routes: list[BaseRoute] = [Route("/healthz", healthz), Route("/readyz", readyz)]
