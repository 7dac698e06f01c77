"""Records of people: users, their tokens, and who is asking. Frozen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

from services.catalog import AlbumSummary, ChapterRef
from services.database.models import SiteAccountRow, TokenRow, UserRow


class TokenScope(StrEnum):
    """What a token may be used for; each includes the ones before it."""

    READ = "READ"
    WRITE = "WRITE"
    ADMIN = "ADMIN"

    def includes(self, other: TokenScope) -> bool:
        """True where a token of this scope may do what needs `other`."""
        order = list(TokenScope)
        return order.index(self) >= order.index(other)


SITE_PREFIX = "jm:"
"""Before the name of a user who signed in by an account of the site; no account's name can have a colon."""


@dataclass(frozen=True, slots=True)
class User:
    """A user. `id` is "owner" for who owned the server while it was open, and for the first account after that."""

    id: str
    name: str
    is_admin: bool
    created_at: datetime

    @property
    def is_of_site(self) -> bool:
        """True for who signed in by an account of the site: no account here, and no password."""
        return self.name.startswith(SITE_PREFIX)

    @classmethod
    def of(cls, row: UserRow) -> Self:
        """The user in a row."""
        return cls(row.id, row.name, row.is_admin, moment(row.created_at_ms))


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token that a person made for a program; the token itself was shown once."""

    id: str
    label: str
    scope: TokenScope
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, row: TokenRow) -> Self:
        """The access token in a row."""
        return cls(
            id=row.id,
            label=row.label,
            scope=TokenScope(row.scope),
            created_at=moment(row.created_at_ms),
            expires_at=moment(row.expires_at_ms) if row.expires_at_ms is not None else None,
            last_used_at=moment(row.last_used_at_ms) if row.last_used_at_ms is not None else None,
        )


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token at the one moment when it is known: `token` is "jmg_" and 43 characters. A session has no label."""

    id: str
    token: str
    label: str
    scope: TokenScope
    expires_at: datetime | None
    user: User


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking, verified. `token_id` is None for the owner of an open server and for a name with a password.

    `is_session` is True for a login, False for an access token. `expires_at` is that of the token. `blocked_tags` are
    what the person does not want to see, as EhTag's ids or as the site spells them.
    """

    user: User
    scope: TokenScope = TokenScope.ADMIN
    token_id: str | None = None
    is_session: bool = False
    expires_at: datetime | None = None
    blocked_tags: tuple[str, ...] = ()

    @property
    def is_admin(self) -> bool:
        """True for an admin who asks with a token that may be used for that."""
        return self.user.is_admin and self.scope is TokenScope.ADMIN


class SiteAccountState(StrEnum):
    """Whether an account of the site can be used."""

    CONNECTED = "CONNECTED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class SiteAccountRecord:
    """The account of the site that a user has connected; `username` as the site spells it."""

    user_id: str
    username: str
    state: SiteAccountState
    connected_at: datetime

    @classmethod
    def of(cls, row: SiteAccountRow, *, is_expired: bool) -> Self:
        """The account in a row."""
        state = SiteAccountState.EXPIRED if is_expired else SiteAccountState.CONNECTED
        return cls(row.user_id, row.username, state, moment(row.connected_at_ms))


@dataclass(frozen=True, slots=True)
class ProgressRecord:
    """How far a person has read a chapter. `page` is 1-based; the last page finishes the chapter.

    `page_count` is as it was counted when the chapter was read. A chapter that was marked as read unopened, and that
    nobody has opened before, is one page of one.
    """

    album: AlbumSummary
    chapter: ChapterRef
    page: int
    page_count: int
    is_finished: bool
    read_at: datetime
    device: str | None


@dataclass(frozen=True, slots=True)
class ReadingPage:
    """A page of a history, newest first; cursors are opaque."""

    items: tuple[ProgressRecord, ...]
    cursors: tuple[str, ...]
    has_next: bool
    has_previous: bool
    total: int


def is_id(text: str) -> bool:
    """False for what no id is, and a database can't even look for: a NUL, half a character."""
    return text.isprintable()


def milliseconds(time: datetime) -> int:
    """A time in milliseconds since 1970; one without a zone is UTC."""
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)


def moment(ms: int) -> datetime:
    """A time in milliseconds since 1970 as a datetime in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC)
