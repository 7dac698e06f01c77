"""Logs, metrics, traces, and what one request costs."""

from services.observability.logging import bound_request, request_id, set_up_log
from services.observability.request_stats import Priority, Usage, current_usage, join_usage, open_usage
from services.observability.tracing import note_span, span, telemetry

__all__ = [
    "Priority",
    "Usage",
    "bound_request",
    "current_usage",
    "join_usage",
    "note_span",
    "open_usage",
    "request_id",
    "set_up_log",
    "span",
    "telemetry",
]
