"""`/healthz`: alive. `/readyz`: one entry a neighbour; degraded is still ready, since reads go on."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from rest.answers import json_response, refusal, response_of
from rest.operations import JSON, Address, Operation, Section
from rest.rooms import routes_of
from rest.schemas import PROBLEM, constant, record
from services.container import Services
from services.health_checks import check_health

CHECK_S = 3.0
"""A neighbour that gives no answer in this time is down, as far as a load balancer cares."""


READINESS = record(
    "Readiness",
    status={"type": "string", "enum": ["ready", "degraded", "unavailable"]},
    checks={
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "properties": {"status": {"type": "string", "enum": ["ok", "down"]}},
            "required": ["status"],
        },
    },
)


async def healthz(_: Request) -> Response:
    """Alive: the event loop turns."""
    return json_response({"status": "ok"})


async def readyz(request: Request) -> Response:
    """Ready or degraded with 200; 503 only while starting or stopping."""
    services: Services | None = getattr(request.app.state, "services", None)
    if services is None or request.app.state.stopping.is_set():
        return json_response({"status": "unavailable", "checks": {}}, 503)
    checks = await check_health(services, CHECK_S)
    status = "ready" if all(check["status"] == "ok" for check in checks.values()) else "degraded"
    return json_response({"status": status, "checks": checks})


ADDRESSES = (
    Address(
        "/healthz",
        {"GET": Operation(healthz, "Alive", {200: "It is."}, gives={JSON: record("Alive", status=constant("ok"))})},
    ),
    Address(
        "/readyz",
        {
            "GET": Operation(
                readyz,
                "How the neighbours do",
                {200: "Ready, or degraded: reads go on.", 503: "Starting or stopping."},
                gives={JSON: READINESS},
                tells={503: READINESS},
            )
        },
    ),
)

SECTION = Section("Health · 健康", "For load balancers.", ADDRESSES, PROBLEM)

routes = routes_of(ADDRESSES, refusal, response_of)
