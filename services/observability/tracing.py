"""Traces for OpenTelemetry, where the host asks for them: `OTEL_EXPORTER_OTLP_ENDPOINT` is set and the extra
`jmgraph[telemetry]` is installed. Otherwise nothing of it is imported, and a span costs one comparison.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from services.observability.logging import request_id
from services.settings import VERSION

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Tracer

log = structlog.get_logger("jmgraph.telemetry")

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""OpenTelemetry's own variable; its exporter reads this and its other ones."""

Attributes = Mapping[str, str | int | float | bool]

_tracers: list[Tracer] = []
"""The tracer of this process, if there is one."""


@contextmanager
def telemetry(processor: SpanProcessor | None = None) -> Iterator[None]:
    """Trace what happens inside; what is still to be sent goes out at its end.

    `processor` takes the spans where it is given, else the exporter of the environment.
    """
    if processor is None and not os.environ.get(ENDPOINT):
        yield
        return
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        chosen = processor or _exporting()
    except ImportError:
        log.warning("No traces are sent: the extra jmgraph[telemetry] is not installed", variable=ENDPOINT)
        yield
        return
    name = os.environ.get("OTEL_SERVICE_NAME", "jmgraph")
    provider = TracerProvider(resource=Resource.create({"service.name": name, "service.version": VERSION}))
    provider.add_span_processor(chosen)
    _tracers.append(provider.get_tracer("jmgraph", VERSION))
    try:
        yield
    finally:
        _tracers.pop()
        provider.shutdown()


def _exporting() -> SpanProcessor:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return BatchSpanProcessor(OTLPSpanExporter())


@contextmanager
def span(name: str, attributes: Attributes) -> Iterator[dict[str, str | int | float | bool]]:
    """Around one piece of work; what is put into the mapping it gives is told with the span.

    Attributes hold no titles and no tokens, as in the log.
    """
    late: dict[str, str | int | float | bool] = {}
    if not _tracers:
        yield late
        return
    with _tracers[-1].start_as_current_span(name, attributes=_named(attributes)) as current:
        try:
            yield late
        finally:
            current.set_attributes(late)


def note_span(name: str, seconds: float, attributes: Attributes) -> None:
    """A span of what has just ended, `seconds` after it began."""
    if not _tracers:
        return
    end_ns = time.time_ns()
    begin_ns = end_ns - round(seconds * 1e9)
    _tracers[-1].start_span(name, start_time=begin_ns, attributes=_named(attributes)).end(end_ns)


def _named(attributes: Attributes) -> Attributes:
    return {**attributes, "jmgraph.request_id": request_id()}
