"""`jmgraph user`: the accounts of this server, by its host, whether it runs or not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC

from rich.console import Console
from rich.table import Table

from services.database import open_database
from services.errors import UserNotFound
from services.people import AccountTools, TokenScope, User
from services.settings import Settings, make_data_dir

Work = Callable[[AccountTools], Awaitable[None]]


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[AccountTools]:
    make_data_dir(settings.data_dir)
    async with open_database(settings) as database:
        yield AccountTools.on(database, settings)


async def add(settings: Settings, name: str, password: str, is_admin: bool) -> int:
    """Add an account; the first one closes the server."""
    async with _opened(settings) as tools:
        was_open = all(user.is_of_site for user in await tools.accounts.list())
        user = await tools.accounts.create(name, password, is_admin=is_admin)
    print(f"added {user.name}{' (administrator)' if user.is_admin else ''}")  # noqa: T201 (output of the command)
    if was_open:
        print("the server is closed now: who is not logged in sees nothing, unless JMGRAPH_GUESTS says otherwise")  # noqa: T201
    return 0


async def list_users(settings: Settings) -> int:
    """Print the users, a line each."""
    async with _opened(settings) as tools:
        users = await tools.accounts.list()
    table = Table("name", "kind", "since (UTC)", "id", box=None, pad_edge=False, header_style="bold")
    for user in users:
        table.add_row(user.name, _kind(user), f"{user.created_at.astimezone(UTC):%Y-%m-%d %H:%M}", user.id)
    if users:
        Console(highlight=False, markup=False, soft_wrap=True).print(table)
    else:
        print("no accounts: this server is open")  # noqa: T201 (output of the command)
    return 0


async def set_password(settings: Settings, name: str, password: str) -> int:
    """Set an account's password, which ends its sessions."""
    async with _opened(settings) as tools:
        if not await tools.accounts.set_password(name, password):
            raise UserNotFound(name)
    print("the password is set; all sessions have ended")  # noqa: T201 (output of the command)
    return 0


async def remove(settings: Settings, name: str) -> int:
    """Remove a user with all that is theirs. Files of theirs that are not kept go when their time is over."""
    async with _opened(settings) as tools:
        user = await _user(tools, name)
        await tools.accounts.remove(user.id)
        is_open = all(user.is_of_site for user in await tools.accounts.list())
    print(f"removed {user.name}")  # noqa: T201 (output of the command)
    if is_open:
        print("there is no account any more: the server is open to whoever reaches it")  # noqa: T201
    return 0


async def create_token(settings: Settings, name: str, label: str, scope: str) -> int:
    """Print a new access token, the one time it is shown."""
    async with _opened(settings) as tools:
        user = await _user(tools, name)
        issued = await tools.tokens.create_access_token(user, label, TokenScope(scope.upper()))
    print(issued.token)  # noqa: T201 (output of the command)
    return 0


async def _user(tools: AccountTools, name: str) -> User:
    """The user of this name, of the site's too. Raises `UserNotFound`."""
    user = await tools.accounts.find(name)
    if user is None:
        raise UserNotFound(name)
    return user


def _kind(user: User) -> str:
    if user.is_of_site:
        return "of the site"
    return "administrator" if user.is_admin else "account"
