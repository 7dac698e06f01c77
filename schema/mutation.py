"""What can be changed: a table of contents."""

from __future__ import annotations

from typing import Annotated

import strawberry

from resolvers import downloads, tag_edits
from schema.downloads import Download, RemovedDownload, StartDownloadInput
from schema.errors import (
    AlbumNotFound,
    BlockedByPolicy,
    DownloadNotFound,
    InvalidInput,
    QueueRejected,
    UpstreamFailure,
    refusal,
)
from schema.fields import Info, given
from schema.tag_edits import (
    AddTagInput,
    AddTagResult,
    RemovedTag,
    RemoveTagInput,
    RemoveTagResult,
    UpdateTagInput,
    UpdateTagResult,
)
from schema.tags import Tag
from services import errors

StartDownloadResult = Annotated[
    Download | AlbumNotFound | InvalidInput | BlockedByPolicy | QueueRejected | UpstreamFailure,
    strawberry.union("StartDownloadResult", description="The download, or why nothing was queued."),
]
DownloadResult = Annotated[
    Download | DownloadNotFound | QueueRejected,
    strawberry.union("DownloadResult", description="The download as it is now, or why nothing changed."),
]
RemoveDownloadResult = Annotated[
    RemovedDownload | DownloadNotFound,
    strawberry.union("RemoveDownloadResult", description="What was removed, or that it was not there."),
]

_EDIT_REFUSALS = (
    errors.TagNotFound,
    errors.Conflict,
    errors.InvalidInput,
    errors.StaleVersion,
    errors.Unauthenticated,
    errors.UpstreamFailure,
)


@strawberry.type(description="What can be changed.")
class Mutation:
    """What can be changed."""

    @strawberry.mutation(
        description="Queue a download. Asking again for the same album, chapters and formats while one is queued, "
        "running or ready returns that one, unless force."
    )
    async def start_download(self, info: Info, input: StartDownloadInput) -> StartDownloadResult:
        """Queue a download."""
        try:
            record = await downloads.start(
                info.context,
                album_id=input.album_id,
                chapter_ids=given(input.chapter_ids),
                archive=input.archive,
                image=input.image,
                quality=input.quality,
                force=input.force,
            )
        except (
            errors.AlbumNotFound,
            errors.InvalidInput,
            errors.BlockedByPolicy,
            errors.QueueRejected,
            errors.UpstreamFailure,
        ) as error:
            return refusal(error)  # type: ignore[return-value]  # one of the union, by the line above
        return Download(record=record)

    @strawberry.mutation(description="Stops a queued or running download; keeps nothing on disk. Idempotent.")
    async def cancel_download(self, info: Info, id: strawberry.ID) -> DownloadResult:
        """Stop a download."""
        try:
            return Download(record=await downloads.cancel(info.context, id))
        except (errors.DownloadNotFound, errors.QueueRejected) as error:
            return refusal(error)  # type: ignore[return-value]

    @strawberry.mutation(
        description="Queues a failed, cancelled or expired download again; pages already fetched are kept. "
        "Any other state: returned as it is."
    )
    async def retry_download(self, info: Info, id: strawberry.ID) -> DownloadResult:
        """Queue an ended download again."""
        try:
            return Download(record=await downloads.retry(info.context, id))
        except (errors.DownloadNotFound, errors.QueueRejected) as error:
            return refusal(error)  # type: ignore[return-value]

    @strawberry.mutation(description="Queues every failed download again.")
    async def retry_failed_downloads(self, info: Info) -> list[Download]:
        """Queue every failed download again."""
        return [Download(record=record) for record in await downloads.retry_failed(info.context)]

    @strawberry.mutation(
        description="Deletes a download's record and files; one that is under way is cancelled first."
    )
    async def remove_download(self, info: Info, id: strawberry.ID) -> RemoveDownloadResult:
        """Delete a download."""
        try:
            await downloads.remove(info.context, id)
        except errors.DownloadNotFound as error:
            return refusal(error)  # type: ignore[return-value]
        return RemovedDownload(id=id)

    @strawberry.mutation(
        description="Adds a record to the EhTag database: one git commit. Needs a GitHub token in X-Token "
        "(or `token` in `connection_init`'s payload)."
    )
    async def add_tag(self, info: Info, input: AddTagInput) -> AddTagResult:
        """Add a record."""
        try:
            record = await tag_edits.add(
                info.context,
                tag_edits.Edited(input.namespace, input.raw, input.name, input.intro, input.links),
                before=given(input.before),
                after=given(input.after),
                if_match=input.if_match,
            )
        except _EDIT_REFUSALS as error:
            return refusal(error)  # type: ignore[return-value]
        return Tag.of(record)

    @strawberry.mutation(
        description="Changes a record of the EhTag database: one git commit, or none where it says the same "
        "already. Needs a GitHub token as `addTag`."
    )
    async def update_tag(self, info: Info, input: UpdateTagInput) -> UpdateTagResult:
        """Change a record."""
        try:
            record = await tag_edits.update(
                info.context,
                tag_edits.Edited(input.namespace, input.raw, input.name, input.intro, input.links),
                if_match=input.if_match,
            )
        except _EDIT_REFUSALS as error:
            return refusal(error)  # type: ignore[return-value]
        return Tag.of(record)

    @strawberry.mutation(
        description="Removes a record of the EhTag database: one git commit. Needs a GitHub token as `addTag`."
    )
    async def remove_tag(self, info: Info, input: RemoveTagInput) -> RemoveTagResult:
        """Remove a record."""
        try:
            removed = await tag_edits.remove(info.context, input.namespace, input.raw, if_match=input.if_match)
        except _EDIT_REFUSALS as error:
            return refusal(error)  # type: ignore[return-value]
        return RemovedTag(id=strawberry.ID(removed.id), head=removed.sha)
