"""People: accounts, who is asking, and what is theirs alone."""

from services.people.accounts import Accounts
from services.people.factory import AccountTools, People, open_people
from services.people.reading import Reading
from services.people.records import (
    AccessToken,
    IssuedToken,
    ProgressRecord,
    ReadingPage,
    SiteAccountRecord,
    SiteAccountState,
    TokenScope,
    User,
    Viewer,
)
from services.people.secret_box import KEY_FILE, SecretBox, read_secret_key, write_secret_key
from services.people.site_accounts import ALL_FAVORITES, FavoriteRecord, SiteAccounts
from services.people.site_sessions import SiteSessions
from services.people.state import AccountsState
from services.people.streamed_reading import StreamedReading
from services.people.tokens import Tokens, is_token

__all__ = [
    "ALL_FAVORITES",
    "KEY_FILE",
    "AccessToken",
    "AccountTools",
    "Accounts",
    "AccountsState",
    "FavoriteRecord",
    "IssuedToken",
    "People",
    "ProgressRecord",
    "Reading",
    "ReadingPage",
    "SecretBox",
    "SiteAccountRecord",
    "SiteAccountState",
    "SiteAccounts",
    "SiteSessions",
    "StreamedReading",
    "TokenScope",
    "Tokens",
    "User",
    "Viewer",
    "is_token",
    "open_people",
    "read_secret_key",
    "write_secret_key",
]
