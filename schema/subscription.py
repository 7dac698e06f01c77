"""What can be watched: a table of contents."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import strawberry

from resolvers import downloads, tags
from schema.downloads import Download, DownloadFeedBatch
from schema.enums import DownloadState
from schema.fields import Info, given
from schema.tags import EhTagDatabase


@strawberry.type(description="What can be watched.")
class Subscription:
    """What can be watched."""

    @strawberry.subscription(
        description="The download now, then every change; an unknown id is a NOT_FOUND error, a removed download "
        "completes (at most four a second; the newest wins), until it is READY, FAILED, CANCELLED or EXPIRED; then "
        "completes. A late subscriber still gets the final state."
    )
    async def download_status(self, info: Info, id: strawberry.ID) -> AsyncGenerator[Download, None]:
        """The download now, then every change."""
        async with aclosing(downloads.watch(info.context, id)) as changes:
            async for record in changes:
                yield Download(record=record)

    @strawberry.subscription(
        description="First the active downloads as one snapshot, then what changed, gathered into at most four "
        "messages a second."
    )
    async def download_feed(
        self,
        info: Info,
        ids: list[strawberry.ID] | None = strawberry.UNSET,
        states: list[DownloadState] | None = strawberry.UNSET,
    ) -> AsyncGenerator[DownloadFeedBatch, None]:
        """All downloads that are asked for, live."""
        async with aclosing(downloads.feed(info.context, given(ids), given(states))) as batches:
            async for batch in batches:
                yield DownloadFeedBatch.of(batch)

    @strawberry.subscription(description="The EhTag database after each change of its head.")
    async def ehtag_updated(self, info: Info) -> AsyncGenerator[EhTagDatabase, None]:
        """The tag database after each change."""
        async with aclosing(tags.watch(info.context)) as states:
            async for state in states:
                yield EhTagDatabase(state=state)
