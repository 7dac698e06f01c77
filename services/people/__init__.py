"""People: accounts, who is asking, and what is theirs alone."""

from services.people.accounts import Accounts
from services.people.factory import People, open_people
from services.people.records import AccessToken, IssuedToken, TokenScope, User, Viewer
from services.people.secret_box import SecretBox
from services.people.state import AccountsState
from services.people.tokens import Tokens, is_token

__all__ = [
    "AccessToken",
    "Accounts",
    "AccountsState",
    "IssuedToken",
    "People",
    "SecretBox",
    "TokenScope",
    "Tokens",
    "User",
    "Viewer",
    "is_token",
    "open_people",
]
