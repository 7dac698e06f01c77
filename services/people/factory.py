"""The services of people, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

from services.database import Database
from services.people.accounts import Accounts
from services.people.logins import LoginLimit, Logins
from services.people.secret_box import SecretBox, open_secret_box
from services.people.state import AccountsState
from services.people.tokens import Tokens
from services.redis import RedisClient
from services.settings import Settings
from services.tasks import cancel_and_wait


@dataclass(frozen=True, slots=True)
class People:
    """Everything about the people of this server."""

    state: AccountsState
    accounts: Accounts
    tokens: Tokens
    logins: Logins
    secrets: SecretBox


@dataclass(frozen=True, slots=True)
class AccountTools:
    """Accounts and tokens without a Redis, for the host's commands."""

    accounts: Accounts
    tokens: Tokens

    @classmethod
    def on(cls, database: Database, settings: Settings) -> Self:
        """Those of this database; running processes notice what is changed."""
        return cls(Accounts(database, AccountsState(database, None)), Tokens(database, settings.session_ttl_s))


@asynccontextmanager
async def open_people(settings: Settings, database: Database, redis: RedisClient) -> AsyncIterator[People]:
    """The services of people; the state of the accounts is kept up to date during the block.

    Raises `ConfigurationError` for a secret key that can't be read.
    """
    secrets = open_secret_box(settings.secret_key.get_secret_value(), settings.data_dir)
    tokens = Tokens(database, settings.session_ttl_s)
    state = AccountsState(database, redis)
    accounts = Accounts(database, state)
    logins = Logins(accounts, LoginLimit(redis))
    state.call_on_change(tokens.forget, logins.forget)
    await state.load()
    polling = asyncio.create_task(state.poll())
    try:
        yield People(state=state, accounts=accounts, tokens=tokens, logins=logins, secrets=secrets)
    finally:
        await cancel_and_wait(polling)
