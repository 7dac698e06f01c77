"""Logs, metrics, traces, and what one request costs."""

from services.observability.logging import log_above_bar, set_up_log
from services.observability.request_context import (
    Priority,
    RequestStats,
    bound_request,
    current_stats,
    join_stats,
    open_stats,
    record_span,
    request_id,
    span,
    use_stats,
)
from services.observability.tracing import telemetry

__all__ = [
    "Priority",
    "RequestStats",
    "bound_request",
    "current_stats",
    "join_stats",
    "log_above_bar",
    "open_stats",
    "record_span",
    "request_id",
    "set_up_log",
    "span",
    "telemetry",
    "use_stats",
]
