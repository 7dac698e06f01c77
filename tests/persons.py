"""People of a server in the test's process: accounts, and what they send to be known."""

from __future__ import annotations

from dataclasses import dataclass

from services.container import Services
from services.people import TokenScope, User

PASSWORD = "correct-horse"


@dataclass(frozen=True)
class Person:
    """Somebody with an account, a session and access tokens."""

    user: User
    session: str
    services: Services

    @property
    def headers(self) -> dict[str, str]:
        """What a program sends."""
        return bearer(self.session)

    @property
    def cookie(self) -> dict[str, str]:
        """What a browser sends."""
        return {"Cookie": f"jmgraph_session={self.session}"}

    async def access_token(self, scope: TokenScope) -> str:
        """A new access token."""
        return (await self.services.people.tokens.create_access_token(self.user, "test", scope)).token

    async def revoke_sessions(self) -> None:
        """End all sessions of this person."""
        await self.services.people.tokens.revoke_sessions(self.user.id)


async def a_person(services: Services, name: str, *, is_admin: bool = False) -> Person:
    """A new account with a session. The first one closes the server, and is its admin whatever `is_admin` says."""
    user = await services.people.accounts.create(name, PASSWORD, is_admin=is_admin)
    session = await services.people.tokens.start_session(user)
    return Person(user, session.token, services)


def bearer(token: str) -> dict[str, str]:
    """The header with a token."""
    return {"Authorization": f"Bearer {token}"}
