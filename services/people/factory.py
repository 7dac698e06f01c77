"""The services of people, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.database import Database
from services.people.accounts import Accounts
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
    secrets: SecretBox


@asynccontextmanager
async def open_people(settings: Settings, database: Database, redis: RedisClient) -> AsyncIterator[People]:
    """The services of people; the state of the accounts is kept up to date during the block.

    Raises `ConfigurationError` for a secret key that can't be read.
    """
    secrets = open_secret_box(settings.secret_key.get_secret_value(), settings.data_dir)
    tokens = Tokens(database, settings.session_ttl_s)
    state = AccountsState(database, redis, on_change=tokens.forget)
    await state.load()
    polling = asyncio.create_task(state.poll())
    try:
        yield People(state=state, accounts=Accounts(database, state), tokens=tokens, secrets=secrets)
    finally:
        await cancel_and_wait(polling)
