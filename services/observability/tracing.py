"""Traces for OpenTelemetry, where `OTEL_EXPORTER_OTLP_ENDPOINT` is set and the extra `jmgraph[telemetry]` installed.

Elsewhere nothing of it is imported, and a span costs one comparison.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from services.observability import request_context
from services.settings import VERSION

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

log = structlog.get_logger("jmgraph.telemetry")

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""OpenTelemetry's own variable; its exporter reads this and its other ones."""


@contextmanager
def telemetry(processor: SpanProcessor | None = None) -> Iterator[None]:
    """Trace the block, and flush the spans at its end.

    Spans go to `processor` where it is given, else to the exporter that the environment configures.
    """
    if processor is None and not os.environ.get(ENDPOINT):
        yield
        return
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        chosen = processor or _otlp_processor()
    except ImportError:
        log.warning("traces are not sent: the extra jmgraph[telemetry] is not installed", variable=ENDPOINT)
        yield
        return
    name = os.environ.get("OTEL_SERVICE_NAME", "jmgraph")
    provider = TracerProvider(resource=Resource.create({"service.name": name, "service.version": VERSION}))
    provider.add_span_processor(chosen)
    request_context.tracers.append(provider.get_tracer("jmgraph", VERSION))
    try:
        yield
    finally:
        request_context.tracers.pop()
        provider.shutdown()


def _otlp_processor() -> SpanProcessor:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return BatchSpanProcessor(OTLPSpanExporter())
