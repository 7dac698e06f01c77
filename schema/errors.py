"""Results of foreseen failures: each exception of `services.errors` that a mutation may return instead of raising."""

from __future__ import annotations

from typing import Self

import strawberry

from schema.enums import ErrorCode, UpstreamReason
from schema.fields import error_type, field, interface_type
from services import errors


@interface_type
class Error:
    """What every error has."""

    error: strawberry.Private[errors.JmgraphError]

    @classmethod
    def of(cls, error: errors.JmgraphError) -> Self:
        """The view of a caught exception."""
        return cls(error=error)

    @field
    def code(self) -> ErrorCode:
        """What went wrong, as a word to program against."""
        return self.error.error_code

    @field
    def message(self) -> str:
        """The same as a sentence."""
        return self.error.message

    @field
    def retryable(self) -> bool:
        """Whether the same call can succeed later."""
        return self.error.retryable

    @field
    def retry_after(self) -> int | None:
        """Seconds after which trying again makes sense; null where that is unknown, or never."""
        return self.error.retry_after


@error_type(errors.AlbumNotFound)
class AlbumNotFoundResult(Error):
    """The site has no such album."""

    error: strawberry.Private[errors.AlbumNotFound]

    @field
    def album_id(self) -> strawberry.ID:
        """The number asked for."""
        return strawberry.ID(self.error.album_id)


@error_type(errors.ChapterNotFound)
class ChapterNotFoundResult(Error):
    """The site has no such chapter, or the album does not list it."""

    error: strawberry.Private[errors.ChapterNotFound]

    @field
    def chapter_id(self) -> strawberry.ID:
        """The number asked for."""
        return strawberry.ID(self.error.chapter_id)


@error_type(errors.DownloadNotFound)
class DownloadNotFoundResult(Error):
    """There is no such download."""

    error: strawberry.Private[errors.DownloadNotFound]

    @field
    def id(self) -> strawberry.ID:
        """The id asked for."""
        return strawberry.ID(self.error.download_id)


@error_type(errors.TagNotFound)
class TagNotFoundResult(Error):
    """There is no such tag."""

    error: strawberry.Private[errors.TagNotFound]

    @field
    def id(self) -> strawberry.ID:
        """The tag asked for, as namespace:raw."""
        return strawberry.ID(f"{self.error.namespace}:{self.error.raw}")


@error_type(errors.InvalidInput)
class InvalidInputResult(Error):
    """An argument that can never work."""

    error: strawberry.Private[errors.InvalidInput]

    @field
    def field(self) -> str:
        """Which argument."""
        return self.error.field


@error_type(errors.BlockedByPolicy)
class BlockedByPolicyResult(Error):
    """This host withholds the album."""

    error: strawberry.Private[errors.BlockedByPolicy]

    @field
    def tags(self) -> list[str]:
        """The tags that it is withheld for, as the site spells them."""
        return list(self.error.tags)


@error_type(errors.QueueRejected)
class QueueRejectedResult(Error):
    """Nothing was queued: QUEUE_FULL, QUEUE_UNAVAILABLE, STORAGE_FULL or RATE_LIMITED."""


@error_type(errors.UpstreamFailure)
class UpstreamFailureResult(Error):
    """The site, or another server that this one needs, could not be used."""

    error: strawberry.Private[errors.UpstreamFailure]

    @field
    def reason(self) -> UpstreamReason:
        """Why."""
        return self.error.reason


@error_type(errors.SiteLoginRequired)
class SiteLoginRequiredResult(Error):
    """The viewer has no account of the site connected, or its session has run out: log in at the site."""


@error_type(errors.Unauthenticated, errors.Forbidden)
class AccessDeniedResult(Error):
    """The caller may not do this."""


@error_type(errors.Conflict)
class TagConflictResult(Error):
    """It exists already, or the database can't be edited now."""


@error_type(errors.StaleVersion)
class StaleVersionResult(Error):
    """Somebody was quicker: the version named is no longer the newest."""

    error: strawberry.Private[errors.StaleVersion]

    @field
    def head(self) -> str:
        """Sha of the newest version."""
        return self.error.head_sha


@error_type(errors.InvalidCredentials)
class InvalidCredentialsResult(Error):
    """A name and a password that don't belong together."""


@error_type(errors.LoginsLimited)
class RateLimitedResult(Error):
    """Too many attempts."""


@error_type(errors.Conflict)
class ConflictResult(Error):
    """It exists already, or the state of things does not allow this."""


@error_type(errors.UserNotFound)
class UserNotFoundResult(Error):
    """There is no such user."""

    error: strawberry.Private[errors.UserNotFound]

    @field
    def id(self) -> strawberry.ID:
        """The id asked for."""
        return strawberry.ID(self.error.user_id)


@error_type(errors.AccessTokenNotFound)
class AccessTokenNotFoundResult(Error):
    """You have no such token."""

    error: strawberry.Private[errors.AccessTokenNotFound]

    @field
    def id(self) -> strawberry.ID:
        """The id asked for."""
        return strawberry.ID(self.error.token_id)
