"""What belongs to the current request: its id in the log, its statistics, its trace spans.

An endpoint opens one `RequestStats` for each operation; code below finds it through a context variable, which tasks
inherit.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

import structlog

from services.errors import JmgraphError, OperationTooCostly

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer


Attributes = Mapping[str, str | int | float | bool]

_TRACE_PARENT = "traceparent"

tracers: list[Tracer] = []
"""The tracer of this process while there is one; set by `telemetry`."""


class Priority(IntEnum):
    """Order of requests to the site: a person who waits before a download, a download before background work."""

    INTERACTIVE = 0
    DOWNLOAD = 1
    BACKGROUND = 2


class ClientMeter(Protocol):
    """Counts the requests of one client, and the calls to the site that they cost."""

    def take_request(self) -> None:
        """Count a request. Raises `RateLimited` for one too many."""

    def refusal(self, weight: float) -> JmgraphError | None:
        """Why no call of this weight may be made for it now; None when one may."""

    def charge(self, weight: float) -> None:
        """Count calls of this weight; a negative number gives some back."""


client_meter: ContextVar[ClientMeter | None] = ContextVar("jmgraph_client_meter", default=None)
"""Of the client whose request is served; it counts the calls of the statistics that are opened meanwhile."""


def take_request() -> None:
    """Count an operation of the client whose request is served. Raises `RateLimited` for one too many."""
    if (meter := client_meter.get()) is not None:
        meter.take_request()


@dataclass(slots=True, eq=False)
class RequestStats:
    """Counters of one operation; mutable."""

    priority: Priority = Priority.INTERACTIVE
    upstream_calls: int = 0
    upstream_weight: float = 0.0
    """Of these calls together; that of a picture is less than one."""
    call_limit: int | None = None
    """Calls to the site that it may make; None for any number."""
    cache_hits: int = 0
    stale: bool = False
    age_s: float = 0.0
    """Age of the oldest part, in seconds."""
    fresh_for_s: float | None = None
    """Seconds until the first of its parts is no longer fresh; None while no part was recorded."""
    is_private: bool = False
    """True once something was read that must not be in a shared cache (a download, say)."""
    meter: ClientMeter | None = field(default_factory=client_meter.get)
    """Of the client that sent the request; None for work of the server's own."""
    payers: list[RequestStats] = field(default_factory=list)
    """Of a shared fetch: the operations that wait for it, each of which would have made its calls itself."""

    def charge_call(self, weight: float = 1.0) -> None:
        """Count a call to the site that is about to be made, for all who wait for it.

        Raises `OperationTooCostly` or `RateLimited` when none of them may make another.
        """
        if (refusal := self._refusal(weight)) is not None:
            raise refusal
        self._count(1, weight)

    @contextmanager
    def paying_for(self, shared: RequestStats) -> Iterator[None]:
        """Pay within the block for the calls of a shared fetch, those that it has made before included."""
        self._count(shared.upstream_calls, shared.upstream_weight)
        shared.payers.append(self)
        try:
            yield
        finally:
            shared.payers.remove(self)

    def refund(self, shared: RequestStats) -> None:
        """Take back what was paid for a shared fetch that is not waited for in the end."""
        self._count(-shared.upstream_calls, -shared.upstream_weight)

    def _count(self, calls: int, weight: float) -> None:
        self.upstream_calls += calls
        self.upstream_weight += weight
        if self.meter is not None:
            self.meter.charge(weight)
        for payer in self.payers:
            payer._count(calls, weight)

    def _refusal(self, weight: float) -> JmgraphError | None:
        """Why another call may not be made; None while somebody may make one."""
        if self.call_limit is not None and self.upstream_calls >= self.call_limit:
            return OperationTooCostly(self.call_limit)
        if self.meter is not None and (refusal := self.meter.refusal(weight)) is not None:
            return refusal
        refusals = [payer._refusal(weight) for payer in self.payers]
        return None if None in refusals else next(iter(refusals), None)

    def record_part(self, *, age_s: float, fresh_for_s: float, stale: bool) -> None:
        """Record a cached or fetched part of the response: its age, how long it stays fresh, whether it is stale."""
        self.age_s = max(self.age_s, age_s)
        self.fresh_for_s = fresh_for_s if self.fresh_for_s is None else min(self.fresh_for_s, fresh_for_s)
        self.stale = self.stale or stale


_current: ContextVar[RequestStats | None] = ContextVar("jmgraph_request_stats", default=None)


def current_stats() -> RequestStats:
    """Statistics of the running operation; where none were opened, an object that nobody reads."""
    return _current.get() or RequestStats()


def join_stats() -> RequestStats:
    """Statistics of the running operation, or new ones for the rest of this task."""
    stats = _current.get()
    if stats is None:
        _current.set(stats := RequestStats())
    return stats


@contextmanager
def open_stats(priority: Priority = Priority.INTERACTIVE) -> Iterator[RequestStats]:
    """Open new statistics for the block, tasks started in it included."""
    with use_stats(RequestStats(priority=priority)) as stats:
        yield stats


@contextmanager
def use_stats(stats: RequestStats) -> Iterator[RequestStats]:
    """Use these statistics in the block, tasks started in it included."""
    token = _current.set(stats)
    try:
        yield stats
    finally:
        _current.reset(token)


def request_id() -> str:
    """The id of the current request, which each of its log lines carries; empty outside of a request."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def bound_request(id: str) -> AbstractContextManager[None]:
    """Bind the id to every log line in the block; an empty id changes nothing."""
    return structlog.contextvars.bound_contextvars(**({"request_id": id} if id else {}))


def trace_parent() -> str:
    """The current span as another process may continue it (W3C `traceparent`); empty where nothing is traced."""
    if not tracers:
        return ""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get(_TRACE_PARENT, "")


def _continued(parent: str) -> Context | None:
    """The context of a span of another process; None, which is the current one, without a parent."""
    if not parent:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({_TRACE_PARENT: parent})


@contextmanager
def span(name: str, attributes: Attributes, parent: str = "") -> Iterator[dict[str, str | int | float | bool]]:
    """A span around the block; entries put into the mapping it yields are added to the span at its end.

    As in the log, attributes contain no titles and no tokens. `parent` continues a trace, see `trace_parent`.
    """
    added: dict[str, str | int | float | bool] = {}
    if not tracers:
        yield added
        return
    context, known = _continued(parent), _with_request_id(attributes)
    with tracers[-1].start_as_current_span(name, context, attributes=known) as current:
        try:
            yield added
        finally:
            current.set_attributes(added)


def record_span(name: str, seconds: float, attributes: Attributes) -> None:
    """Record a span of `seconds` that has just ended."""
    if not tracers:
        return
    end_ns = time.time_ns()
    begin_ns = end_ns - round(seconds * 1e9)
    tracers[-1].start_span(name, start_time=begin_ns, attributes=_with_request_id(attributes)).end(end_ns)


def _with_request_id(attributes: Attributes) -> Attributes:
    return {**attributes, "jmgraph.request_id": request_id()}
