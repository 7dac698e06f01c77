"""Every error of this server, as a tree.

JmgraphError
├── NotFound                     NOT_FOUND
│   ├── AlbumNotFound
│   ├── ChapterNotFound
│   ├── DownloadNotFound
│   ├── TagNotFound
│   ├── UserNotFound
│   └── AccessTokenNotFound
├── InvalidInput                 INVALID_INPUT
├── BlockedByPolicy              BLOCKED_BY_POLICY
├── OperationTooCostly           OPERATION_TOO_COSTLY
├── UpstreamFailure              UPSTREAM_UNAVAILABLE, UPSTREAM_BROKEN or TIMEOUT, by its reason
│   ├── RemoteRefused            UPSTREAM_BROKEN
│   └── TagDatabaseBusy          BUSY
├── QueueRejected
│   ├── QueueFull                QUEUE_FULL
│   ├── QueueUnavailable         QUEUE_UNAVAILABLE
│   ├── StorageFull              STORAGE_FULL
│   └── RateLimited              RATE_LIMITED
├── StorageUnavailable           STORAGE_UNAVAILABLE
├── LoginsLimited                RATE_LIMITED
├── Unauthenticated              UNAUTHENTICATED
│   └── InvalidCredentials
├── SiteLoginRequired            UNAUTHENTICATED
├── Forbidden                    FORBIDDEN
├── Conflict                     CONFLICT
├── StaleVersion                 STALE
└── Internal                     INTERNAL

`ConfigurationError` is not among them: it ends the start of a process with one line and never reaches a response.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from math import ceil
from typing import ClassVar, NamedTuple


class ErrorCode(StrEnum):
    """The code of an error, in GraphQL's `extensions.code` and in REST bodies alike."""

    NOT_FOUND = "NOT_FOUND"
    INVALID_INPUT = "INVALID_INPUT"
    BLOCKED_BY_POLICY = "BLOCKED_BY_POLICY"
    OPERATION_TOO_COSTLY = "OPERATION_TOO_COSTLY"
    UPSTREAM_UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
    UPSTREAM_BROKEN = "UPSTREAM_BROKEN"
    QUEUE_UNAVAILABLE = "QUEUE_UNAVAILABLE"
    QUEUE_FULL = "QUEUE_FULL"
    STORAGE_FULL = "STORAGE_FULL"
    STORAGE_UNAVAILABLE = "STORAGE_UNAVAILABLE"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    RATE_LIMITED = "RATE_LIMITED"
    CONFLICT = "CONFLICT"
    STALE = "STALE"
    BUSY = "BUSY"
    TIMEOUT = "TIMEOUT"
    INTERNAL = "INTERNAL"


class UpstreamReason(StrEnum):
    """Why the site, or another server that this one needs, could not be used."""

    REGION_BLOCKED = "REGION_BLOCKED"
    CHALLENGED = "CHALLENGED"
    RATE_LIMITED = "RATE_LIMITED"
    TIMEOUT = "TIMEOUT"
    UNREACHABLE = "UNREACHABLE"
    GARBLED = "GARBLED"
    MAINTENANCE = "MAINTENANCE"
    LOGIN_REQUIRED = "LOGIN_REQUIRED"
    REFUSED = "REFUSED"
    CREDENTIALS_REFUSED = "CREDENTIALS_REFUSED"


class ConfigurationError(Exception):
    """A process can't start: one line that names the setting, its value and what is allowed."""


class JmgraphError(Exception):
    """Root of the tree: a code, a message fit for any user, and whether the same call can succeed later."""

    code: ClassVar[ErrorCode] = ErrorCode.INTERNAL
    retryable: bool = False
    retry_after_s: float | None = None
    """When trying again makes sense; None where that is unknown, or never."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def error_code(self) -> ErrorCode:
        """The code of this instance; only an `UpstreamFailure` decides by instance."""
        return self.code

    @property
    def retry_after(self) -> int | None:
        """`retry_after_s` in whole seconds, rounded up: what responses say."""
        return None if self.retry_after_s is None else ceil(self.retry_after_s)

    @property
    def extensions(self) -> dict[str, object]:
        """What GraphQL shows in `errors[].extensions`: `{"code": "BUSY", "retryable": true, "retryAfter": 5}`.

        Without `retryAfter` where that is unknown.
        """
        wait = {} if self.retry_after is None else {"retryAfter": self.retry_after}
        return {"code": self.error_code.value, "retryable": self.retryable, **wait}


class NotFound(JmgraphError):
    """The requested thing does not exist."""

    code = ErrorCode.NOT_FOUND


class AlbumNotFound(NotFound):
    """The site has no album of this number."""

    def __init__(self, album_id: str) -> None:
        super().__init__(f"Album not found: id={album_id}")
        self.album_id = album_id


class ChapterNotFound(NotFound):
    """The site has no chapter of this number, or the album does not hold it."""

    def __init__(self, chapter_id: str) -> None:
        super().__init__(f"Chapter not found: id={chapter_id}")
        self.chapter_id = chapter_id


class DownloadNotFound(NotFound):
    """No download has this id, or its record was removed."""

    def __init__(self, download_id: str) -> None:
        super().__init__(f"Download not found: id={download_id}")
        self.download_id = download_id


class TagNotFound(NotFound):
    """The tag database has no such record."""

    def __init__(self, namespace: str, raw: str) -> None:
        super().__init__(f"Tag not found: {namespace}:{raw}")
        self.namespace = namespace
        self.raw = raw


class UserNotFound(NotFound):
    """This server has no such user."""

    def __init__(self, user_id: str) -> None:
        super().__init__("There is no such user.")
        self.user_id = user_id


class AccessTokenNotFound(NotFound):
    """The person who asks has no such token."""

    def __init__(self, token_id: str) -> None:
        super().__init__("You have no such token.")
        self.token_id = token_id


class InvalidInput(JmgraphError):
    """An invalid argument; `field` names it as the caller wrote it ("quality")."""

    code = ErrorCode.INVALID_INPUT

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field

    @property
    def extensions(self) -> dict[str, object]:
        """As the root's, with the field."""
        return {**super().extensions, "field": self.field}


class BlockedByPolicy(JmgraphError):
    """The host withholds what carries these tags (as the site spells them)."""

    code = ErrorCode.BLOCKED_BY_POLICY

    def __init__(self, tags: Sequence[str]) -> None:
        super().__init__("This host withholds albums with such tags.")
        self.tags = tuple(tags)


class OperationTooCostly(JmgraphError):
    """The operation has called the site as often as one may. What was read is cached: the same call gets further."""

    code = ErrorCode.OPERATION_TOO_COSTLY
    retryable = True

    def __init__(self, limit: int) -> None:
        super().__init__(f"This operation has called the site {limit} times, and may not more often: ask for less.")
        self.limit = limit

    @property
    def extensions(self) -> dict[str, object]:
        """As the root's, with the measure and its limit."""
        return {**super().extensions, "measure": "upstream calls", "limit": self.limit}


_UPSTREAM_MESSAGES: dict[UpstreamReason, str] = {
    UpstreamReason.REGION_BLOCKED: "The site refuses this server's region; a proxy may help.",
    UpstreamReason.CHALLENGED: "The site asks for a browser challenge.",
    UpstreamReason.RATE_LIMITED: "The site asks for fewer requests.",
    UpstreamReason.TIMEOUT: "The site did not answer in time.",
    UpstreamReason.UNREACHABLE: "The site can't be reached.",
    UpstreamReason.GARBLED: "The site's answer could not be read.",
    UpstreamReason.MAINTENANCE: "The site is under maintenance.",
    UpstreamReason.LOGIN_REQUIRED: "The site shows this only to people who are logged in there.",
    UpstreamReason.REFUSED: "The site refuses this number.",
    UpstreamReason.CREDENTIALS_REFUSED: "This server's own credentials were refused.",
}


class UpstreamFailure(JmgraphError):
    """The site could not be read, after every retry; `reason` says why."""

    retryable = True

    def __init__(
        self, reason: UpstreamReason, message: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message or _UPSTREAM_MESSAGES[reason])
        self.reason = reason
        self.retryable = reason not in _NEVER_RETRIED
        self.retry_after_s = retry_after_s

    @property
    def error_code(self) -> ErrorCode:
        """TIMEOUT for TIMEOUT, UPSTREAM_BROKEN for GARBLED and CREDENTIALS_REFUSED, else UPSTREAM_UNAVAILABLE."""
        return _CODE_OF_REASON.get(self.reason, ErrorCode.UPSTREAM_UNAVAILABLE)

    @property
    def extensions(self) -> dict[str, object]:
        """As the root's, with the reason."""
        return {**super().extensions, "reason": self.reason.value}


_NEVER_RETRIED = frozenset(
    {UpstreamReason.LOGIN_REQUIRED, UpstreamReason.REFUSED, UpstreamReason.CREDENTIALS_REFUSED}
)
"""What the site says of one number, and a remote of our token; each would say the same again."""

_CODE_OF_REASON = {
    UpstreamReason.TIMEOUT: ErrorCode.TIMEOUT,
    UpstreamReason.GARBLED: ErrorCode.UPSTREAM_BROKEN,
    UpstreamReason.CREDENTIALS_REFUSED: ErrorCode.UPSTREAM_BROKEN,
}


class RemoteRefused(UpstreamFailure):
    """The remote of the tag database refuses this server's own token: its host must set another."""

    def __init__(self, message: str) -> None:
        super().__init__(UpstreamReason.CREDENTIALS_REFUSED, message)


class TagDatabaseBusy(UpstreamFailure):
    """Another change of the tag database is not done yet; mostly it waits for the remote."""

    def __init__(self) -> None:
        message = "Another change of the tag database is not done yet, mostly for its remote; try again in a moment."
        super().__init__(UpstreamReason.TIMEOUT, message, _BUSY_RETRY_AFTER_S)

    @property
    def error_code(self) -> ErrorCode:
        """BUSY."""
        return ErrorCode.BUSY


_BUSY_RETRY_AFTER_S = 5.0  # a push takes a second or two, a hanging one a minute


class QueueRejected(JmgraphError):
    """Nothing was queued."""

    code = ErrorCode.QUEUE_UNAVAILABLE
    retryable = True

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class QueueFull(QueueRejected):
    """As many downloads wait as the host allows."""

    code = ErrorCode.QUEUE_FULL


class QueueUnavailable(QueueRejected):
    """Redis can't be reached."""

    code = ErrorCode.QUEUE_UNAVAILABLE


class StorageFull(QueueRejected):
    """Less disk space is free than the configured minimum."""

    code = ErrorCode.STORAGE_FULL


class RatePolicy(NamedTuple):
    """How often something may be done: `limit` times in each span of `window_s`; `name` is "requests", say."""

    name: str
    limit: int
    window_s: float


class RateLimited(QueueRejected):
    """The caller sends too many requests to this server; `policy` says how many are allowed."""

    code = ErrorCode.RATE_LIMITED

    def __init__(self, message: str, retry_after_s: float | None = None, policy: RatePolicy | None = None) -> None:
        super().__init__(message, retry_after_s)
        self.policy = policy


class StorageUnavailable(JmgraphError):
    """The database of people and their libraries can't be reached."""

    code = ErrorCode.STORAGE_UNAVAILABLE
    retryable = True

    def __init__(self) -> None:
        super().__init__("The database of this server can't be reached now; try again in a moment.")


class LoginsLimited(JmgraphError):
    """Too many wrong passwords for this name, or from this address."""

    code = ErrorCode.RATE_LIMITED
    retryable = True

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("Too many wrong passwords; try again later.")
        self.retry_after_s = retry_after_s


class Unauthenticated(JmgraphError):
    """No key or token, or one that was refused."""

    code = ErrorCode.UNAUTHENTICATED


class InvalidCredentials(Unauthenticated):
    """A name and a password that don't belong together; which of them is wrong is not said."""

    def __init__(self) -> None:
        super().__init__("Wrong name or password.")


class SiteLoginRequired(JmgraphError):
    """The person has no account of the site connected here, or its session has run out."""

    code = ErrorCode.UNAUTHENTICATED

    def __init__(self, *, is_expired: bool = True) -> None:
        message = (
            "The site has ended the session of your account there: connect it again."
            if is_expired
            else "This needs an account of the site: connect one first."
        )
        super().__init__(message)
        self.is_expired = is_expired

    @property
    def extensions(self) -> dict[str, object]:
        """As the root's, with the reason."""
        return {**super().extensions, "reason": UpstreamReason.LOGIN_REQUIRED.value}


class Forbidden(JmgraphError):
    """Not from this origin, or not by this user."""

    code = ErrorCode.FORBIDDEN


class Conflict(JmgraphError):
    """The thing exists already, or its state does not allow this."""

    code = ErrorCode.CONFLICT


class StaleVersion(JmgraphError):
    """Somebody else changed it first: the given version is no longer the newest. `head_sha` is the current one."""

    code = ErrorCode.STALE
    retryable = True

    def __init__(self, head_sha: str, message: str = "The data has moved on; read it again first.") -> None:
        super().__init__(message)
        self.head_sha = head_sha


class Internal(JmgraphError):
    """An unexpected error; the log has the details, the response does not."""

    def __init__(self, message: str = "Something went wrong on this server.") -> None:
        super().__init__(message)
