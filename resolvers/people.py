"""Accounts, logins, tokens, and who is asking."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from resolvers.context import ID, Context
from services.errors import AccessTokenNotFound, Forbidden, QueueUnavailable, UserNotFound
from services.observability import current_stats
from services.people import AccessToken, IssuedToken, TokenScope, User, Viewer
from services.push import NotificationEvent, NotificationSettings, NotificationTest


async def viewer(context: Context) -> Viewer | None:
    """Who is asking, with what is theirs alone; null for a guest.

    While the server has no account, everybody is its owner.
    """
    return context.viewer


async def login(context: Context, name: str, password: str) -> IssuedToken:
    """Log in by name and password. Over HTTP the session is set as a cookie as well."""
    current_stats().is_private = True
    people = context.services.people
    user = await people.logins.verify(name, password, context.caller.address)
    session = await people.tokens.start_session(user)
    context.session_token = session.token
    return session


async def logout(context: Context) -> bool:
    """End this session, and remove its cookie. True also when there was none."""
    viewer = context.viewer
    if viewer is not None and viewer.is_session and viewer.token_id is not None:
        await context.services.people.tokens.revoke(viewer.user.id, viewer.token_id)
    context.session_token = ""
    return True


async def create_user(context: Context, name: str, password: str, is_admin: bool = False) -> User:
    """Add an account, for administrators. The first one closes the server: it is an administrator, and takes over
    what the owner of the open server had.
    """
    context.require_admin()
    is_owner_of_open_server = context.viewer is not None and context.caller.identity is None
    accounts = context.services.people.accounts
    return await accounts.create(name, password, is_admin=is_admin, as_first_only=is_owner_of_open_server)


async def change_password(context: Context, old_password: str, new_password: str) -> User:
    """Set a new password, which ends your other sessions."""
    viewer, people = _require_person(context), context.services.people
    async with people.logins.attempt(viewer.user, context.caller.address):
        await people.accounts.change_password(
            viewer.user.id, old_password, new_password, session_id=viewer.token_id if viewer.is_session else None
        )
    return viewer.user


async def remove_user(context: Context, id: ID) -> ID:
    """Remove an account with all that is theirs, for administrators; or your own."""
    viewer = context.viewer
    is_own = viewer is not None and viewer.user.id == id
    if is_own:
        _require_person(context)
    else:
        context.require_admin()
    if not await context.services.people.accounts.remove(id):
        raise UserNotFound(id)
    with suppress(QueueUnavailable):  # then they go when their time is over; nobody has this id any more
        await context.services.downloads.owned(context.services.access.ownership_of(id)).remove_all()
    if is_own:
        context.session_token = ""
    return id


async def users(context: Context) -> Sequence[User] | None:
    """All users, for an administrator; else None."""
    viewer = context.viewer
    return await context.services.people.accounts.list() if viewer is not None and viewer.is_admin else None


async def access_tokens(context: Context) -> Sequence[AccessToken]:
    """The access tokens of the person who asks, newest first."""
    return await context.services.people.tokens.list_access_tokens(context.require_viewer().user.id)


async def create_access_token(
    context: Context, label: str, scope: TokenScope = TokenScope.WRITE, expires_at: datetime | None = None
) -> IssuedToken:
    """Make a token for a program or a reading app; it is shown this once."""
    viewer = _require_person(context)
    if not viewer.scope.includes(scope):
        raise Forbidden("A token can't make one that may do more than itself.")
    return await context.services.people.tokens.create_access_token(viewer.user, label, scope, expires_at)


async def revoke_access_token(context: Context, id: ID) -> ID:
    """End an access token; what uses it is refused from now on."""
    viewer = _require_person(context)
    if not await context.services.people.tokens.revoke(viewer.user.id, id):
        raise AccessTokenNotFound(id)
    return id


async def notifications(context: Context) -> NotificationSettings:
    """Where the person who asks is notified, masked, and of what."""
    return await context.services.push_notifications.find(context.require_viewer().user.id)


async def set_notifications(
    context: Context, urls: list[str], events: list[NotificationEvent]
) -> NotificationSettings:
    """Notify yourself at these addresses of these events, instead of those before. An address that is sent masked, as
    it is shown, stays as it is.

    Addresses are those of Apprise (ntfy, Bark, Telegram, Discord, mail and many more), and signed webhooks.
    """
    return await context.services.push_notifications.set(_require_person(context).user.id, urls, events)


async def test_notifications(context: Context) -> Sequence[NotificationTest]:
    """Send a test to each of your addresses now; what became of it, in their order."""
    return await context.services.push_notifications.test(_require_person(context).user.id)


async def set_blocked_tags(context: Context, tags: list[str]) -> Viewer:
    """Withhold albums with these tags from yourself, on top of what the host withholds. Replaces the ones before.

    Names of EhTag as namespace:raw, or names as the site spells them.
    """
    viewer = context.require_viewer()
    return await context.services.people.accounts.set_blocked_tags(viewer, tags)


def _require_person(context: Context) -> Viewer:
    """Whoever may change their own account: not with a token that was made for reading."""
    viewer = context.require_viewer()
    if viewer.scope is TokenScope.READ:
        raise Forbidden("This token is for reading alone.")
    return viewer
