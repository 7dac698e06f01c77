"""For operators: `/healthz`, `/readyz` and `/metrics`."""

from __future__ import annotations

from typing import Literal

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rest.operations import Group, operation, returns_json
from rest.responses import Problem, ResponseBody, json_response
from services.access import Right
from services.container import Services
from services.errors import QueueUnavailable
from services.health_checks import check_health
from services.observability import metrics

CHECK_TIMEOUT_S = 3.0
"""A dependency that gives no answer in this time is down, as far as a load balancer cares."""


class Alive(ResponseBody):
    """The process runs."""

    status: Literal["ok"]


class DependencyCheck(ResponseBody, forbid_unknown_fields=False):
    """State of one dependency; some say more."""

    status: Literal["ok", "down"]


class Readiness(ResponseBody):
    """State of this server and of each dependency, by name."""

    status: Literal["ready", "degraded", "unavailable"]
    checks: dict[str, DependencyCheck]


@operation("Alive", {200: returns_json("It is.", Alive)})
async def healthz(_: Request) -> Response:
    """Alive: the event loop runs."""
    return json_response(Alive(status="ok"))


@operation(
    "State of the dependencies",
    {
        200: returns_json("Ready, or degraded: reads go on.", Readiness),
        503: returns_json("Starting or stopping.", Readiness),
    },
)
async def readyz(request: Request) -> Response:
    """Ready or degraded with 200, since reads go on; 503 only while starting or stopping.

    Who may not read this server gets no details.
    """
    services: Services | None = getattr(request.app.state, "services", None)
    if services is None or request.app.state.stopping.is_set():
        return json_response({"status": "unavailable", "checks": {}}, 503)
    checks = await check_health(services, CHECK_TIMEOUT_S)
    status = "ready" if all(check["status"] == "ok" for check in checks.values()) else "degraded"
    access = services.access
    may_read = access.allows(access.caller(request.scope), Right.READ)
    return json_response({"status": status, "checks": checks if may_read else {}})


async def prometheus(request: Request) -> Response:
    """The metrics of all processes on this data directory, and of the queue as it is now."""
    await _measure_queue(request.app.state.services)
    body = await run_in_threadpool(metrics.exposition)
    return Response(body, media_type=metrics.MEDIA_TYPE, headers={"Cache-Control": "no-store"})


async def _measure_queue(services: Services) -> None:
    try:
        counts = await services.downloads.counts()
        by_state = await services.downloads.count_states()
    except QueueUnavailable:
        metrics.QUEUE_UP.set(0)
        return
    metrics.set_queue_gauges(counts.queued, counts.workers, {state.value: count for state, count in by_state.items()})


routes = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", prometheus)]

GROUP = Group("Health · 健康", "For load balancers.", routes, Problem)
