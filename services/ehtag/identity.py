"""Who edits: GitHub tokens, verified with GitHub and remembered by their hash."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import structlog

from services.ehtag.repository import Author
from services.errors import JmgraphError, Unauthenticated, UpstreamFailure, UpstreamReason
from services.network import is_loopback

log = structlog.get_logger("jmgraph.ehtag")

_REMEMBERED_S = 3600.0
_MOST_REMEMBERED = 10_000
_TIMEOUT_S = 10.0
_LONGEST = 512  # characters; GitHub's are 40 to 255

_TOKEN = re.compile(r"[!-~]+\Z")  # what may stand in a header
_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})(?:\[bot\])?\Z")


@dataclass(frozen=True, slots=True)
class GitHubUser:
    """A person on GitHub: login and number."""

    login: str
    id: int

    @property
    def author(self) -> Author:
        """As author of a commit, with the address GitHub keeps for this: `7+cook@users.noreply.github.com`."""
        return Author(self.login, f"{self.id}+{self.login}@users.noreply.github.com")


@dataclass(frozen=True, slots=True)
class _Known:
    user: GitHubUser
    until: float


class GitHubIdentity:
    """Verifies tokens with `GET {api_url}/user`. A token is kept nowhere but in the request that shows it."""

    def __init__(self, api_url: str, client: httpx.AsyncClient) -> None:
        self._url = f"{api_url.rstrip('/')}/user"
        self._client = client
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._asking: dict[bytes, asyncio.Lock] = {}

    async def verify(self, token: str | None) -> GitHubUser:
        """The user whose token this is; remembered for an hour.

        Raises `Unauthenticated` with the reason when there is none, it can't be one, or GitHub refuses it;
        `UpstreamFailure` when GitHub can't be asked: the token may be good, so trying again makes sense.
        """
        if not token or not token.strip():
            raise Unauthenticated("A GitHub token is needed: X-Token, or Authorization: Bearer.")
        token = token.strip()
        if len(token) > _LONGEST or not _TOKEN.match(token):
            raise Unauthenticated("This is no GitHub token.")
        key = hashlib.sha256(token.encode()).digest()
        return self._find(key) or await self._ask_once(key, token)

    async def _ask_once(self, key: bytes, token: str) -> GitHubUser:
        """Ask GitHub, one question at a time for each token."""
        lock = self._asking.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                return self._find(key) or self._remember(key, await self._ask(token))
        finally:
            if not lock.locked():
                self._asking.pop(key, None)

    def _find(self, key: bytes) -> GitHubUser | None:
        known = self._known.get(key)
        return known.user if known and known.until > time.monotonic() else None

    def _remember(self, key: bytes, user: GitHubUser) -> GitHubUser:
        self._known[key] = _Known(user, time.monotonic() + _REMEMBERED_S)
        self._known.move_to_end(key)
        while len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
        return user

    async def _ask(self, token: str) -> GitHubUser:
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "User-Agent": "jmgraph",
        }
        try:
            answer = await self._client.get(self._url, headers=headers, timeout=_TIMEOUT_S)
        except httpx.TimeoutException:
            raise UpstreamFailure(UpstreamReason.TIMEOUT, "GitHub did not answer in time.") from None
        except httpx.HTTPError as error:
            log.warning("GitHub can't be asked who somebody is", reason=type(error).__name__)
            raise UpstreamFailure(
                UpstreamReason.UNREACHABLE, "GitHub can't be reached to verify the token."
            ) from None
        if answer.is_success:
            return _user_from_github(answer)
        raise _refusal(answer)


@asynccontextmanager
async def open_identity(api_url: str) -> AsyncIterator[GitHubIdentity]:
    """An identity with a client of its own. The system's proxy never stands before this machine itself."""
    async with httpx.AsyncClient(trust_env=not is_loopback(urlsplit(api_url).hostname or "")) as client:
        yield GitHubIdentity(api_url, client)


def _user_from_github(answer: httpx.Response) -> GitHubUser:
    try:
        found = answer.json()
    except ValueError:
        found = None
    login, number = (found.get("login"), found.get("id")) if isinstance(found, dict) else (None, None)
    if not isinstance(login, str) or not _LOGIN.match(login) or not isinstance(number, int) or number < 0:
        raise UpstreamFailure(UpstreamReason.GARBLED, "GitHub's answer about the token could not be read.")
    return GitHubUser(login, number)


def _refusal(answer: httpx.Response) -> JmgraphError:
    """A refused token; or, when GitHub is busy or broken, that it could not be asked."""
    log.warning("GitHub did not say who somebody is", status=answer.status_code)
    if _is_rate_limited(answer):
        return UpstreamFailure(UpstreamReason.RATE_LIMITED, "GitHub asks for fewer requests; try again later.")
    if answer.is_client_error:
        return Unauthenticated(f"GitHub refused this token (status {answer.status_code}).")
    return UpstreamFailure(UpstreamReason.UNREACHABLE, f"GitHub answered {answer.status_code} instead of a user.")


def _is_rate_limited(answer: httpx.Response) -> bool:
    is_spent = answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers
    return answer.status_code == httpx.codes.TOO_MANY_REQUESTS or (
        is_spent and answer.status_code == httpx.codes.FORBIDDEN
    )
