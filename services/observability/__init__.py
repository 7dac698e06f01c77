"""Logs, metrics, traces, and what one request costs."""

from services.observability.logging import bound_request, request_id, set_up_log
from services.observability.request_stats import Priority, RequestStats, current_stats, join_stats, open_stats
from services.observability.tracing import note_span, span, telemetry

__all__ = [
    "Priority",
    "RequestStats",
    "bound_request",
    "current_stats",
    "join_stats",
    "note_span",
    "open_stats",
    "request_id",
    "set_up_log",
    "span",
    "telemetry",
]
