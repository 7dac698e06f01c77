"""The author of an edit: a GitHub token, verified with GitHub and cached by its hash, and who may edit."""

from __future__ import annotations

import asyncio
import hashlib
import re
import ssl
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from urllib.parse import urlsplit

import httpx
import structlog

from services.ehtag.repository import Author
from services.errors import Forbidden, JmgraphError, Unauthenticated, UpstreamFailure, UpstreamReason
from services.network import is_loopback

log = structlog.get_logger("jmgraph.ehtag")

_CACHE_TTL_S = 3600.0
_MAX_CACHED = 10_000
_TIMEOUT_S = 10.0
_MAX_TOKEN_LENGTH = 512  # characters; GitHub's are 40 to 255

_TOKEN = re.compile(r"[!-~]+\Z")  # what a header may contain
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})(?:\[bot\])?\Z")


@dataclass(frozen=True, slots=True)
class GitHubUser:
    """A user of GitHub: login and id, and when the account was made; None where GitHub does not say."""

    login: str
    id: int
    created_at: datetime | None = field(default=None, compare=False)

    @property
    def author(self) -> Author:
        """As author of a commit, with the address GitHub keeps for this: `7+cook@users.noreply.github.com`."""
        return Author(self.login, f"{self.id}+{self.login}@users.noreply.github.com")


@dataclass(frozen=True, slots=True)
class EditorRules:
    """Who may edit: `logins` in lower case (empty: anybody), with an account of at least `min_account_age`."""

    logins: frozenset[str] = frozenset()
    min_account_age: timedelta = timedelta(0)

    def check(self, user: GitHubUser) -> None:
        """Raise `Forbidden` with the reason, unless this user may edit."""
        if self.logins and user.login.lower() not in self.logins:
            raise Forbidden(f"{user.login} is not among those who may edit this tag database.")
        if self.min_account_age and self._is_too_new(user):
            days = self.min_account_age.days
            raise Forbidden(f"The GitHub account {user.login} must be {days} days old before it may edit.")

    def _is_too_new(self, user: GitHubUser) -> bool:
        if user.created_at is None:
            raise UpstreamFailure(UpstreamReason.GARBLED, "GitHub did not say how old this account is.")
        return datetime.now(UTC) - user.created_at < self.min_account_age


_ANYBODY = EditorRules()


@dataclass(frozen=True, slots=True)
class _CachedUser:
    user: GitHubUser
    until: float


class GitHubIdentity:
    """Verifies tokens with `GET {api_url}/user`. Tokens are not stored, only their hashes."""

    def __init__(self, api_url: str, client: httpx.AsyncClient, rules: EditorRules) -> None:
        self._url = f"{api_url.rstrip('/')}/user"
        self._client = client
        self._rules = rules
        self._cache: OrderedDict[bytes, _CachedUser] = OrderedDict()
        self._locks: dict[bytes, asyncio.Lock] = {}

    async def verify(self, token: str | None) -> GitHubUser:
        """The user whose token this is, and who may edit; cached for an hour.

        Raises `Unauthenticated` with the reason when there is none, it can't be one, or GitHub refuses it;
        `Forbidden` with the reason when the rules for editors refuse this user; `UpstreamFailure` when GitHub can't
        be reached: the token may be valid, so trying again makes sense.
        """
        if not token or not token.strip():
            raise Unauthenticated("A GitHub token is needed: X-Token, or Authorization: Bearer.")
        token = token.strip()
        if len(token) > _MAX_TOKEN_LENGTH or not _TOKEN.match(token):
            raise Unauthenticated("This is no GitHub token.")
        key = hashlib.sha256(token.encode()).digest()
        user = self._cached(key) or await self._request_once(key, token)
        self._rules.check(user)
        return user

    async def _request_once(self, key: bytes, token: str) -> GitHubUser:
        """Ask GitHub, with one request at a time for each token."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                return self._cached(key) or self._store(key, await self._request(token))
        finally:
            if not lock.locked():
                self._locks.pop(key, None)

    def _cached(self, key: bytes) -> GitHubUser | None:
        cached = self._cache.get(key)
        return cached.user if cached and cached.until > time.monotonic() else None

    def _store(self, key: bytes, user: GitHubUser) -> GitHubUser:
        self._cache[key] = _CachedUser(user, time.monotonic() + _CACHE_TTL_S)
        self._cache.move_to_end(key)
        while len(self._cache) > _MAX_CACHED:
            self._cache.popitem(last=False)
        return user

    async def _request(self, token: str) -> GitHubUser:
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "User-Agent": "jmgraph",
        }
        try:
            response = await self._client.get(self._url, headers=headers, timeout=_TIMEOUT_S)
        except httpx.TimeoutException:
            raise UpstreamFailure(UpstreamReason.TIMEOUT, "GitHub did not answer in time.") from None
        except httpx.HTTPError as error:
            log.warning("GitHub can't be asked who somebody is", reason=type(error).__name__)
            raise UpstreamFailure(
                UpstreamReason.UNREACHABLE, "GitHub can't be reached to verify the token."
            ) from None
        if response.is_success:
            return _user_from_github(response)
        raise _error_of(response)


@asynccontextmanager
async def open_identity(api_url: str, rules: EditorRules = _ANYBODY) -> AsyncIterator[GitHubIdentity]:
    """An identity with its own client, which uses the system's proxy except for loopback addresses."""
    trusts_env = not is_loopback(urlsplit(api_url).hostname or "")
    async with httpx.AsyncClient(trust_env=trusts_env, verify=_tls_context()) as client:
        yield GitHubIdentity(api_url, client, rules)


@cache
def _tls_context() -> ssl.SSLContext:
    """What httpx takes by default; to read its authorities takes 40 ms."""
    return httpx.create_ssl_context()


def _user_from_github(response: httpx.Response) -> GitHubUser:
    try:
        found = response.json()
    except ValueError:
        found = None
    found = found if isinstance(found, dict) else {}
    login, number = found.get("login"), found.get("id")
    if not isinstance(login, str) or not _LOGIN.match(login) or not isinstance(number, int) or number < 0:
        raise UpstreamFailure(UpstreamReason.GARBLED, "GitHub's answer about the token could not be read.")
    return GitHubUser(login, number, _time(found.get("created_at")))


def _time(value: object) -> datetime | None:
    """From "2011-01-25T18:44:36Z"; None for anything else."""
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _error_of(response: httpx.Response) -> JmgraphError:
    """`Unauthenticated` for a refused token, `UpstreamFailure` when GitHub is rate limiting or broken."""
    log.warning("GitHub did not say who somebody is", status=response.status_code)
    if _is_rate_limited(response):
        return UpstreamFailure(UpstreamReason.RATE_LIMITED, "GitHub asks for fewer requests; try again later.")
    if response.is_client_error:
        return Unauthenticated(f"GitHub refused this token (status {response.status_code}).")
    return UpstreamFailure(UpstreamReason.UNREACHABLE, f"GitHub answered {response.status_code} instead of a user.")


def _is_rate_limited(response: httpx.Response) -> bool:
    is_spent = response.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in response.headers
    return response.status_code == httpx.codes.TOO_MANY_REQUESTS or (
        is_spent and response.status_code == httpx.codes.FORBIDDEN
    )
