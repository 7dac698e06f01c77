"""The state of this server, and of the site as it sees it."""

from __future__ import annotations

from datetime import datetime
from typing import Self

import strawberry

import resolvers.server
from schema.enums import HostRole, SourceMethod, UpstreamReason
from schema.fields import object_type
from services import catalog


@object_type
class UpstreamHost:
    """A host of the site."""

    url: str = strawberry.field(description="Its address.")
    role: HostRole = strawberry.field(description="What it serves.")
    healthy: bool = strawberry.field(description="False while it fails.")
    latency_ms: float | None = strawberry.field(description="A moving mean; null before its first answer.")
    reason: UpstreamReason | None = strawberry.field(description="Why it failed last, while it fails.")
    resting_until: datetime | None = strawberry.field(description="When it is tried again, during its cooldown.")


@object_type
class UpstreamInfo:
    """What is known of the site."""

    method: SourceMethod = strawberry.field(description="The method in use now.")
    reachable: bool = strawberry.field(description="False when no host answers.")
    checked_at: datetime | None = strawberry.field(description="When it was last asked anything.")
    hosts: list[UpstreamHost] = strawberry.field(
        description="Its hosts by role, in the order they are configured or published."
    )

    @classmethod
    def of(cls, record: catalog.UpstreamStatus) -> Self:
        """The view of the state of the site."""
        return cls(
            method=record.method,
            reachable=record.reachable,
            checked_at=record.checked_at,
            hosts=[
                UpstreamHost(
                    url=host.url,
                    role=host.role,
                    healthy=host.healthy,
                    latency_ms=host.latency_ms,
                    reason=host.reason,
                    resting_until=host.cooldown_until,
                )
                for host in record.hosts
            ],
        )


@object_type
class ServerInfo:
    """Version, upstream method and health of this server."""

    version: str = strawberry.field(description="Version of jmgraph.")
    upstream: UpstreamInfo = strawberry.field(description="The site as this server sees it.")
    queue_depth: int = strawberry.field(description="Downloads that wait for a worker.")
    active_downloads: int = strawberry.field(description="Downloads under way.")
    workers: int = strawberry.field(description="Workers with a fresh heartbeat.")

    @classmethod
    def of(cls, record: resolvers.server.ServerState) -> Self:
        """The view of the state of this server."""
        return cls(
            version=record.version,
            upstream=UpstreamInfo.of(record.upstream),
            queue_depth=record.counts.queued,
            active_downloads=record.counts.active,
            workers=record.counts.workers,
        )
