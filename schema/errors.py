"""Foreseen refusals as typed results."""

from __future__ import annotations

from functools import singledispatch
from math import ceil
from typing import TypedDict

import strawberry

from schema.enums import ErrorCode, UpstreamReason
from services import errors


@strawberry.interface(description="What every refusal tells.")
class Error:
    """What every refusal tells."""

    code: ErrorCode = strawberry.field(description="What went wrong, as a word to program against.")
    message: str = strawberry.field(description="The same as a sentence.")
    retryable: bool = strawberry.field(description="Whether the same call can succeed later.")


@strawberry.type(description="The site has no such album.")
class AlbumNotFound(Error):
    """The site has no such album."""

    album_id: str = strawberry.field(description="The number asked for.")


@strawberry.type(description="There is no such download.")
class DownloadNotFound(Error):
    """There is no such download."""

    id: strawberry.ID = strawberry.field(description="The id asked for.")


@strawberry.type(description="There is no such tag.")
class TagNotFound(Error):
    """There is no such tag."""

    id: strawberry.ID = strawberry.field(description="The tag asked for, as namespace:raw.")


@strawberry.type(description="An argument that can never work.")
class InvalidInput(Error):
    """An argument that can never work."""

    field: str = strawberry.field(description="Which argument.")


@strawberry.type(description="This host withholds the album.")
class BlockedByPolicy(Error):
    """This host withholds the album."""

    tags: list[str] = strawberry.field(description="The tags that it is withheld for, as the site spells them.")


@strawberry.type(description="Nothing was queued: QUEUE_FULL, QUEUE_UNAVAILABLE, STORAGE_FULL or RATE_LIMITED.")
class QueueRejected(Error):
    """Nothing was queued."""

    retry_after: int | None = strawberry.field(description="Seconds after which trying again makes sense.")


@strawberry.type(description="The site could not be read.")
class UpstreamFailure(Error):
    """The site could not be read."""

    reason: UpstreamReason = strawberry.field(description="Why.")
    retry_after: int | None = strawberry.field(description="Seconds that the site asks to wait.")


@strawberry.type(description="The caller may not do this.")
class AccessDenied(Error):
    """The caller may not do this."""


@strawberry.type(description="It exists already, or the database can't be edited now.")
class TagConflict(Error):
    """It exists already, or the database can't be edited now."""


@strawberry.type(description="Somebody was quicker: the version named is no longer the newest.")
class StaleVersion(Error):
    """Somebody was quicker."""

    head: str = strawberry.field(description="Sha of the newest version.")


@singledispatch
def refusal(error: errors.JmgraphError) -> Error:
    """The typed result of a foreseen refusal; an error that is none is raised again."""
    raise error


@refusal.register
def _(error: errors.AlbumNotFound) -> AlbumNotFound:
    return AlbumNotFound(**_common(error), album_id=error.album_id)


@refusal.register
def _(error: errors.DownloadNotFound) -> DownloadNotFound:
    return DownloadNotFound(**_common(error), id=strawberry.ID(error.download_id))


@refusal.register
def _(error: errors.TagNotFound) -> TagNotFound:
    return TagNotFound(**_common(error), id=strawberry.ID(f"{error.namespace}:{error.raw}"))


@refusal.register
def _(error: errors.InvalidInput) -> InvalidInput:
    return InvalidInput(**_common(error), field=error.field)


@refusal.register
def _(error: errors.BlockedByPolicy) -> BlockedByPolicy:
    return BlockedByPolicy(**_common(error), tags=list(error.tags))


@refusal.register
def _(error: errors.QueueRejected) -> QueueRejected:
    return QueueRejected(**_common(error), retry_after=error.retry_after_s)


@refusal.register
def _(error: errors.UpstreamFailure) -> UpstreamFailure:
    wait = None if error.retry_after_s is None else ceil(error.retry_after_s)
    return UpstreamFailure(**_common(error), reason=error.reason, retry_after=wait)


@refusal.register(errors.Unauthenticated)
@refusal.register(errors.Forbidden)
def _(error: errors.JmgraphError) -> AccessDenied:
    return AccessDenied(**_common(error))


@refusal.register
def _(error: errors.Conflict) -> TagConflict:
    return TagConflict(**_common(error))


@refusal.register
def _(error: errors.StaleVersion) -> StaleVersion:
    return StaleVersion(**_common(error), head=error.head_sha)


class _Common(TypedDict):
    code: ErrorCode
    message: str
    retryable: bool


def _common(error: errors.JmgraphError) -> _Common:
    return {"code": error.error_code, "message": error.message, "retryable": error.retryable}
