"""Logs, metrics, traces, and what one request costs."""

from services.observability.logging import log_above_bar, set_up_log
from services.observability.request_context import (
    ClientMeter,
    Priority,
    RequestStats,
    bound_request,
    client_meter,
    current_stats,
    join_stats,
    open_stats,
    record_span,
    request_id,
    span,
    take_request,
    trace_parent,
    use_stats,
)
from services.observability.tracing import telemetry

__all__ = [
    "ClientMeter",
    "Priority",
    "RequestStats",
    "bound_request",
    "client_meter",
    "current_stats",
    "join_stats",
    "log_above_bar",
    "open_stats",
    "record_span",
    "request_id",
    "set_up_log",
    "span",
    "take_request",
    "telemetry",
    "trace_parent",
    "use_stats",
]
