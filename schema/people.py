"""People: users, sessions, access tokens, and who is asking."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

import strawberry

import resolvers.library
import resolvers.people
import resolvers.reading
import resolvers.site_account
from schema.enums import NotificationEvent
from schema.errors import (
    AccessDeniedResult,
    AccessTokenNotFoundResult,
    ConflictResult,
    InvalidCredentialsResult,
    InvalidInputResult,
    RateLimitedResult,
    UpstreamFailureResult,
    UserNotFoundResult,
)
from schema.fields import Info, field, input_type, object_type, sent_fields
from schema.library import LibraryConnection, LibraryFilter
from schema.reading import ReadingConnection, ReadingProgress
from schema.site_account import SiteAccount
from services import people, push
from services.library import LibraryPage
from services.people import TokenScope


@object_type
class UserView:
    """A user of this server."""

    id: strawberry.ID = strawberry.field(description="Its id.")
    name: str = strawberry.field(description="Its name; jm:NAME for who signed in by an account of the site.")
    is_admin: bool = strawberry.field(description="Whether it may manage accounts.")
    created_at: datetime = strawberry.field(description="When it was made.")

    @classmethod
    def of(cls, record: people.User) -> Self:
        """The view of a user."""
        return cls(
            id=strawberry.ID(record.id), name=record.name, is_admin=record.is_admin, created_at=record.created_at
        )


@object_type
class Session:
    """A login. It ends when it was not used for 30 days, unless the host sets another span."""

    token: str = strawberry.field(
        description="For Authorization: Bearer, or connection_init's token. Over HTTP it is set as a cookie too."
    )
    expires_at: datetime = strawberry.field(description="When it ends; each use renews it.")
    user: UserView = strawberry.field(description="Who is logged in.")

    @classmethod
    def of(cls, record: people.IssuedToken) -> Self:
        """The view of a new session."""
        assert record.expires_at is not None  # noqa: S101  # every session ends
        return cls(token=record.token, expires_at=record.expires_at, user=UserView.of(record.user))


@object_type
class AccessTokenView:
    """A token for a program or a reading app."""

    id: strawberry.ID = strawberry.field(description="Its id, by which it is revoked.")
    label: str = strawberry.field(description="What it is for.")
    scope: TokenScope = strawberry.field(description="What it may be used for.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime | None = strawberry.field(description="When it ends; null where it does not.")
    last_used_at: datetime | None = strawberry.field(
        description="When it was last used, within a minute; null before the first time."
    )

    @classmethod
    def of(cls, record: people.AccessToken) -> Self:
        """The view of an access token."""
        return cls(
            id=strawberry.ID(record.id),
            label=record.label,
            scope=record.scope,
            created_at=record.created_at,
            expires_at=record.expires_at,
            last_used_at=record.last_used_at,
        )


@object_type
class CreatedAccessToken:
    """A new access token, at the one time when it is shown."""

    id: strawberry.ID = strawberry.field(description="Its id, by which it is revoked.")
    token: str = strawberry.field(description="The token itself: keep it, since it is not shown again.")
    label: str = strawberry.field(description="What it is for.")
    scope: TokenScope = strawberry.field(description="What it may be used for.")
    expires_at: datetime | None = strawberry.field(description="When it ends; null where it does not.")

    @classmethod
    def of(cls, record: people.IssuedToken) -> Self:
        """The view of a new access token."""
        return cls(
            id=strawberry.ID(record.id),
            token=record.token,
            label=record.label,
            scope=record.scope,
            expires_at=record.expires_at,
        )


@object_type
class RevokedAccessToken:
    """An access token that was revoked."""

    id: strawberry.ID = strawberry.field(description="Its id.")

    @classmethod
    def of(cls, id: strawberry.ID) -> Self:
        """The view of a revoked token, given by its id."""
        return cls(id=id)


@object_type
class RemovedUser:
    """A user that was removed."""

    id: strawberry.ID = strawberry.field(description="Its id.")

    @classmethod
    def of(cls, id: strawberry.ID) -> Self:
        """The view of a removed user, given by its id."""
        return cls(id=id)


@object_type
class NotificationSettingsView:
    """Where a person is notified, and of what."""

    urls: list[str] = strawberry.field(
        description="Addresses, masked: they are secrets. Sent to `setNotifications` as they are, they stay."
    )
    events: list[NotificationEvent] = strawberry.field(description="What the person is notified of.")

    @classmethod
    def of(cls, record: push.NotificationSettings) -> Self:
        """The view of a person's settings."""
        return cls(urls=list(record.urls), events=list(record.events))


@object_type
class NotificationTestView:
    """What became of a test."""

    url: str = strawberry.field(description="The address, masked.")
    ok: bool = strawberry.field(description="Whether the test was delivered.")
    message: str = strawberry.field(description="The same, and why not, as a sentence.")

    @classmethod
    def of(cls, record: push.NotificationTest) -> Self:
        """The view of a test."""
        return cls(url=record.url, ok=record.is_ok, message=record.message)


@object_type
class ViewerView:
    """Who is asking, with what is theirs alone."""

    record: strawberry.Private[people.Viewer]

    @classmethod
    def of(cls, record: people.Viewer) -> Self:
        """The view of who is asking."""
        return cls(record=record)

    @field
    def user(self) -> UserView:
        """The user."""
        return UserView.of(self.record.user)

    @field
    def blocked_tags(self) -> list[str]:
        """Tags whose albums are withheld from this person, on top of the host's."""
        return list(self.record.blocked_tags)

    @field(type=NotificationSettingsView)
    async def notifications(self, info: Info) -> push.NotificationSettings:
        """Where you are notified, and of what."""
        return await resolvers.people.notifications(info.context)

    @field(type=ReadingConnection)
    async def history(self, info: Info, first: int = 20, after: str | None = strawberry.UNSET) -> people.ReadingPage:
        """Albums that you have read in, each where you read it last; newest first, at most 100."""
        return await resolvers.reading.history(info.context, first, after or None)

    @field(type=list[ReadingProgress])
    async def continue_reading(self, info: Info, first: int = 20) -> Sequence[people.ProgressRecord]:
        """Albums that you have begun and not read to the end, each where you read it last; newest first, at most 100.
        Where that chapter is finished, there are chapters after it.
        """
        return await resolvers.reading.continue_reading(info.context, first)

    @field(type=LibraryConnection)
    async def library(
        self,
        info: Info,
        filter: LibraryFilter | None = strawberry.UNSET,
        first: int = 20,
        after: str | None = strawberry.UNSET,
    ) -> LibraryPage:
        """Albums that you keep an eye on, at most 100 at a time."""
        return await resolvers.library.library(info.context, first, after or None, **sent_fields(filter))

    @field(type=SiteAccount | None)
    async def site_account(self, info: Info) -> people.SiteAccountRecord | None:
        """The account of the site that this person has connected; null without one."""
        return await resolvers.site_account.site_account(info.context, self.record.user.id)

    @field(type=list[AccessTokenView])
    async def access_tokens(self, info: Info) -> Sequence[people.AccessToken]:
        """Access tokens that are valid, newest first."""
        return await resolvers.people.access_tokens(info.context)

    @field(type=list[UserView] | None)
    async def users(self, info: Info) -> Sequence[people.User] | None:
        """All users, for an administrator; null for others."""
        return await resolvers.people.users(info.context)


@input_type
class SetNotificationsInput:
    """Where a person is notified, and of what."""

    urls: list[str] = strawberry.field(
        description="At most 20: as Apprise takes them, ntfy://topic say, and signed webhooks, https://…#whsec_…"
    )
    events: list[NotificationEvent] = strawberry.field(description="What the person is notified of.")


@input_type
class LoginInput:
    """A name and its password."""

    name: str = strawberry.field(description="In any case.")
    password: str = strawberry.field(description="Its password.")


@input_type
class CreateUserInput:
    """A new account."""

    name: str = strawberry.field(description="3 to 32 letters of any script, digits, and the signs - _ .")
    password: str = strawberry.field(description="8 to 256 characters.")
    is_admin: bool = strawberry.field(default=False, description="May it manage accounts? The first one always may.")


@input_type
class ChangePasswordInput:
    """Both passwords."""

    old_password: str = strawberry.field(description="The one that is set.")
    new_password: str = strawberry.field(description="8 to 256 characters.")


@input_type
class CreateAccessTokenInput:
    """What a new token is for."""

    label: str = strawberry.field(description="A word to know it by, 1 to 100 characters.")
    scope: TokenScope = strawberry.field(
        default=people.TokenScope.WRITE, description="What it may be used for; no more than what you log in with."
    )
    expires_at: datetime | None = strawberry.field(default=None, description="When it ends; null for never.")


LoginResult = Annotated[
    Session | InvalidCredentialsResult | RateLimitedResult | AccessDeniedResult | UpstreamFailureResult,
    strawberry.union("LoginResult", description="The session, or why there is none."),
]
CreateUserResult = Annotated[
    UserView | InvalidInputResult | ConflictResult | AccessDeniedResult,
    strawberry.union("CreateUserResult", description="The account, or why none was made."),
]
ChangePasswordResult = Annotated[
    UserView | InvalidCredentialsResult | InvalidInputResult | RateLimitedResult | AccessDeniedResult,
    strawberry.union("ChangePasswordResult", description="Whose password was changed, or why it was not."),
]
RemoveUserResult = Annotated[
    RemovedUser | UserNotFoundResult | ConflictResult | AccessDeniedResult,
    strawberry.union("RemoveUserResult", description="Who was removed, or why nobody was."),
]
CreateAccessTokenResult = Annotated[
    CreatedAccessToken | InvalidInputResult | AccessDeniedResult,
    strawberry.union("CreateAccessTokenResult", description="The token, or why there is none."),
]
RevokeAccessTokenResult = Annotated[
    RevokedAccessToken | AccessTokenNotFoundResult | AccessDeniedResult,
    strawberry.union("RevokeAccessTokenResult", description="What was revoked, or why nothing was."),
]
SetBlockedTagsResult = Annotated[
    ViewerView | InvalidInputResult | AccessDeniedResult,
    strawberry.union("SetBlockedTagsResult", description="You with these tags, or why they were not set."),
]
SetNotificationsResult = Annotated[
    NotificationSettingsView | InvalidInputResult | AccessDeniedResult,
    strawberry.union("SetNotificationsResult", description="The settings, or why they were not set."),
]
