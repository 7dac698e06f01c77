"""Who sends a request, under which URL they know this server, and what they may do here.

Reads ASGI scopes; knows no web framework.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import Coroutine, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from functools import lru_cache
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any, TypeVar
from urllib.parse import urlsplit

from services.database.models import OWNER_ID
from services.downloads.records import Ownership
from services.errors import Forbidden, JmgraphError, StorageUnavailable, Unauthenticated
from services.http_semantics import bearer_token, header
from services.people import AccountsState, Tokens, TokenScope, Viewer, is_token
from services.tasks import cancel_and_wait

T = TypeVar("T")

Scope = Mapping[str, Any]
"""ASGI's scope of an HTTP request or a WebSocket."""

IDENTITY_KEY = "jmgraph.identity"
"""In the ASGI scope: the `Identity` of a request whose token needed no look-up."""

CALLER_KEY = "jmgraph.caller"
"""In the ASGI scope: the `Caller` of a request that was authenticated."""

PERSONAL_KEY = "jmgraph.personal"
"""In the ASGI scope, true where the response depends on what the person who asks has blocked."""

SESSION_COOKIE = "jmgraph_session"
COOKIE_MAX_AGE_S = 400 * 86400
"""As long as browsers keep a cookie: each use renews the session itself, which ends after some days without."""

_EXPIRY_RETRY_S = 1.0
"""Between two attempts to verify a token that should have expired."""

GUEST_ID = "guest"
"""Owner of what guests download on a closed server that lets them; no user has this id."""

_HTTP_SCHEMES = {"ws": "http", "wss": "https"}
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Right(Enum):
    """What a route or a root field of GraphQL needs of whoever asks."""

    PUBLIC = auto()
    """Nothing: whether the server is alive, the page's shell, logging in."""
    IDENTITY = auto()
    """Nothing either, but a credential that is refused is told: who is asking."""
    READ = auto()
    """Albums, lists, tags, pictures."""
    DOWNLOADS = auto()
    """Downloads with their files and notifications."""
    EDIT_TAGS = auto()
    """Edits of the tag database by its REST API, which want a GitHub token too."""
    CHANGE = auto()
    """Any other change of state."""
    OPERATE = auto()
    """Metrics."""
    ADMIN = auto()
    """Accounts of other people."""


_RIGHTS_OF_GUESTS: dict[str, frozenset[Right]] = {
    "none": frozenset({Right.PUBLIC, Right.IDENTITY}),
    "read": frozenset({Right.PUBLIC, Right.IDENTITY, Right.READ}),
    "all": frozenset(set(Right) - {Right.ADMIN}),
}
_RIGHTS_WITHOUT_KEY = frozenset(set(Right) - {Right.CHANGE, Right.ADMIN})
"""Of whoever sends no key to a host that has keys and no account: all reads, as before there were accounts."""


class CredentialKind(Enum):
    """How a request says who sends it."""

    TOKEN = auto()
    """A token in a header, or in `connection_init`."""
    COOKIE = auto()
    BASIC = auto()
    """HTTP Basic: a name with a password, or a token in its place."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose credential a request carries, once that was verified. `failure` is set for one that was refused.

    `token` is the session's or access token itself, to verify it again later; None where a password was sent.
    """

    kind: CredentialKind
    viewer: Viewer | None = None
    token: str | None = field(default=None, repr=False)
    failure: JmgraphError | None = None

    @property
    def obstacle(self) -> JmgraphError | None:
        """Why a request with it gets nothing at all. A browser sends a refused cookie by itself, also to log in
        again.
        """
        return None if self.kind is CredentialKind.COOKIE else self.failure


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a request.

    `origin` is the `Origin` header as sent, None for clients that are no browser. `own_origins` are the URLs this
    server is reached at ("http://localhost:11111"), where there is an origin: pages of those are ours. `address` is
    the client's, "" where it is not known. `github_token` is for edits of the tag database and not verified yet.
    `is_host` is true with a valid API key. `identity` is None for a request without a credential of a person.
    `is_cross_site` is true where a browser says that another site made it send HTTP Basic.
    """

    origin: str | None = None
    own_origins: tuple[str, ...] = ()
    address: str = ""
    github_token: str | None = field(default=None, repr=False)
    is_host: bool = False
    identity: Identity | None = None
    is_cross_site: bool = False

    @property
    def credential(self) -> Hashable:
        """Equal for requests with the same credential: a person's token, or password, or the host's key, or none."""
        identity = self.identity
        viewer = identity.viewer if identity else None
        return self.is_host, identity and identity.token, viewer and viewer.user.id


class Access:
    """The host's rules: its public URL, the origins of browser pages that may write, its API keys, and its guests.

    `guests` is none, read or all; "" is none where there are accounts, and all reads where there are only keys.
    """

    def __init__(
        self,
        public_url: str,
        allowed_origins: Sequence[str],
        api_keys: Sequence[str],
        guests: str,
        accounts: AccountsState,
        tokens: Tokens,
    ) -> None:
        self._public_url = public_url
        self._origins = frozenset(allowed_origins)
        self._keys = tuple(key.encode() for key in api_keys)
        self._guests = guests
        self._accounts = accounts
        self._tokens = tokens

    @property
    def is_closed(self) -> bool:
        """True when there is an account: who is not logged in is a guest."""
        return self._accounts.is_closed

    @property
    def is_restricted(self) -> bool:
        """True when there is something that not everybody may read, or wants to."""
        return (
            self._accounts.is_closed or bool(self._keys and self._guests) or bool(self._accounts.owner.blocked_tags)
        )

    @property
    def is_public(self) -> bool:
        """True when everybody may read."""
        is_own = not (self._accounts.is_closed or self._keys)
        return is_own or Right.READ in self._rights_of_guests()

    def base_url(self, scope: Scope) -> str:
        """Base of absolute URLs, without a final slash: the public URL, else where the request was sent to."""
        if self._public_url:
            return self._public_url
        scheme = _HTTP_SCHEMES.get(scope["scheme"], scope["scheme"])
        return f"{scheme}://{_host(scope) or 'localhost'}{_prefix(scope)}"

    def caller(self, scope: Scope) -> Caller:
        """The sender of a request."""
        known: Caller | None = scope.get(CALLER_KEY)
        return known or self.read_caller(scope, None)

    def read_caller(self, scope: Scope, identity: Identity | None) -> Caller:
        """The sender of a request whose credential, if any, was verified.

        A Bearer is a person's token when it begins with `jmg_`, else the API key where the host has keys, else a
        GitHub token.
        """
        headers = scope["headers"]
        bearer = github_token(bearer_token(header(headers, b"authorization")))
        api_key = header(headers, b"x-api-key") or (bearer if self._keys else None)
        client = scope.get("client")
        origin = header(headers, b"origin")
        is_basic = identity is not None and identity.kind is CredentialKind.BASIC
        return Caller(
            origin=origin,
            own_origins=() if origin is None else self._own_origins(scope),
            address=client[0] if client else "",
            github_token=github_token(header(headers, b"x-token")) or (None if self._keys else bearer),
            is_host=api_key is not None and self._is_key(_as_utf8(api_key)),
            identity=identity,
            is_cross_site=is_basic and header(headers, b"sec-fetch-site") in ("cross-site", "same-site"),
        )

    def with_api_key(self, caller: Caller, api_key: str) -> Caller:
        """The caller with a key that was sent apart from the headers."""
        return replace(caller, is_host=caller.is_host or self._is_key(api_key))

    async def with_token(self, caller: Caller, token: str) -> Caller:
        """The caller with a token that was sent apart from the headers: a person's, or one of GitHub.

        Raises `Unauthenticated` for a person's that is refused, `StorageUnavailable`.
        """
        if not is_token(token):
            return replace(caller, github_token=caller.github_token or token)
        viewer = await self._tokens.identify(token)
        return replace(caller, identity=Identity(CredentialKind.TOKEN, viewer, token))

    async def verified_again(self, caller: Caller) -> Caller:
        """The caller as the token is known now. Raises `Unauthenticated` once it is revoked, `StorageUnavailable`."""
        identity = caller.identity
        if identity is None or identity.token is None:
            return caller
        viewer = await self._tokens.identify(identity.token)
        return replace(caller, identity=replace(identity, viewer=viewer))

    async def wait_until_revoked(self, caller: Caller) -> None:
        """Return once the caller may no longer do what they could: their token was revoked or has expired, or the
        server was closed meanwhile.
        """
        standing = self._standing(caller)
        while True:
            version = self._accounts.version
            try:
                caller = await self.verified_again(caller)  # it may have been revoked since the request came
            except Unauthenticated:
                return
            except StorageUnavailable:
                pass  # nothing is known of a revocation
            if self._standing(caller) != standing:
                return
            if version == self._accounts.version:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_seconds_until_expiry(caller)):
                        await self._accounts.wait_for_change()

    async def until_revoked(self, caller: Caller, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns. Raises `Unauthenticated`, and ends the work, once the caller may no longer wait for it
        as in `wait_until_revoked`.
        """
        working, revoked = asyncio.create_task(work), asyncio.create_task(self.wait_until_revoked(caller))
        try:
            await asyncio.wait([working, revoked], return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise Unauthenticated("This token was revoked, or has expired.")
        finally:
            await cancel_and_wait(working, revoked)

    def _standing(self, caller: Caller) -> Hashable:
        """What a caller who goes on must still be."""
        viewer = self.viewer(caller)
        who = None if viewer is None else (viewer.user.id, viewer.user.is_admin, viewer.scope)
        return who, self.ownership(caller), self.allows(caller, Right.READ)

    def viewer(self, caller: Caller) -> Viewer | None:
        """The person who asks: whoever is logged in, the owner of an open server, None for a guest or the host."""
        if caller.identity is not None:
            return caller.identity.viewer
        return None if self._accounts.is_closed or self._keys else self._accounts.owner

    def blocked_tags(self, caller: Caller) -> tuple[str, ...]:
        """What the person who asks does not want to see, for `Catalog.blocking`. With any, no response is shared."""
        viewer = self.viewer(caller)
        return () if viewer is None else viewer.blocked_tags

    def allows(self, caller: Caller, right: Right) -> bool:
        """Whether the caller has this right."""
        return self._refusal(caller, right) is None

    def require(self, caller: Caller, right: Right) -> None:
        """Return for a caller who has this right.

        Raises `Unauthenticated` for a guest and for a refused credential, `Forbidden` for a person without it.
        """
        if (refusal := self._refusal(caller, right)) is not None:
            raise refusal

    def require_own_origin(self, caller: Caller) -> None:
        """Return unless the request comes from a page of a foreign origin, which may change nothing: `Forbidden`.

        Clients that send no `Origin` are no browsers.
        """
        if caller.origin is not None and "*" not in self._origins and not self.is_own_page(caller):
            raise Forbidden("Pages of this origin may not change state here; JMGRAPH_CORS_ORIGINS allows more.")

    def client(self, scope: Scope) -> str:
        """Whose budget a request without a person's token is counted in: a valid API key, else its address.

        An address of IPv6 stands for its /64, which is what a household gets; "" for a connection without an address.
        """
        headers = scope["headers"]
        if self._keys:
            key = header(headers, b"x-api-key") or bearer_token(header(headers, b"authorization"))
            if key and self._is_key(_as_utf8(key)):
                return "key:" + hashlib.sha256(key.encode()).hexdigest()[:16]
        peer = scope.get("client")
        return _network_of(peer[0]) if peer else ""

    def require_write_access(self, caller: Caller) -> None:
        """Return for a caller who may change state.

        Raises `Forbidden` for a page of a foreign origin, for a cookie without the `Origin` of one of our own, and
        for a token that may only read; `Unauthenticated` without a credential.
        """
        self.require_own_origin(caller)
        kind = caller.identity.kind if caller.identity else None
        # a browser sends these by itself, whoever made it send the request
        if kind is CredentialKind.COOKIE and not self.is_own_page(caller):
            raise Forbidden("A change by cookie needs the Origin of a page of this server; a token needs none.")
        if kind is CredentialKind.BASIC and caller.is_cross_site:
            raise Forbidden("A page of another site may not change state here.")
        self.require(caller, Right.CHANGE)

    def is_own_page(self, caller: Caller) -> bool:
        """Whether the request comes from a page of this server, or of an origin that the host has named."""
        origin = _normalised_origin(caller.origin or "")  # "" is foreign, even where our own URL can't be parsed
        own = {_normalised_origin(url) for url in caller.own_origins}
        return bool(origin) and origin in self._origins | own

    def ownership(self, caller: Caller) -> Ownership:
        """Whose downloads the caller sees: all of an open server, else their own; those of all as admin or host."""
        viewer = self.viewer(caller)
        if viewer is None:
            is_guest = self._accounts.is_closed and not caller.is_host
            return Ownership(GUEST_ID, sees_all=False) if is_guest else Ownership()
        sees_all = viewer.user.is_admin or not self._accounts.is_closed
        return replace(self.ownership_of(viewer.user.id), sees_all=sees_all)

    def ownership_of(self, user_id: str) -> Ownership:
        """The downloads of this user alone."""
        return Ownership(None if user_id == OWNER_ID else user_id, sees_all=False)

    def session_cookie(self, scope: Scope, token: str) -> str:
        """The `Set-Cookie` that gives a browser this session; with an empty token the one that removes it."""
        max_age_s = COOKIE_MAX_AGE_S if token else 0
        origin = header(scope["headers"], b"origin") or ""
        is_https = scope["scheme"] in ("https", "wss") or origin.lower().startswith("https://")
        attributes = f"Max-Age={max_age_s}; Path={self._cookie_path(scope)}; HttpOnly; SameSite=Lax"
        return f"{SESSION_COOKIE}={token}; {attributes}" + ("; Secure" if is_https else "")

    def _cookie_path(self, scope: Scope) -> str:
        """The sub-path that the browser knows this server under."""
        public = urlsplit(self._public_url)
        is_public = bool(self._public_url) and public.netloc.lower() == _host(scope).lower()
        return (public.path if is_public else _prefix(scope)) or "/"

    def _refusal(self, caller: Caller, right: Right) -> JmgraphError | None:
        """Why the caller may not have this; None when they may."""
        if (identity := caller.identity) is not None and identity.obstacle is not None:
            return identity.obstacle
        if right is Right.PUBLIC or caller.is_host:
            return None
        if identity is not None and identity.failure is not None:
            return identity.failure
        if right is Right.IDENTITY:
            return None
        viewer = self.viewer(caller)
        if viewer is not None:
            return _refusal_of_person(viewer, right)
        if right in self._rights_of_guests():
            return None
        if self._keys and not self._accounts.is_closed:
            return Unauthenticated("An API key is needed: X-API-Key, Authorization: Bearer, or apiKey.")
        return Unauthenticated("Log in first, or send a token: Authorization: Bearer jmg_…")

    def _rights_of_guests(self) -> frozenset[Right]:
        if not self._accounts.is_closed and not self._guests:
            return _RIGHTS_WITHOUT_KEY
        rights = _RIGHTS_OF_GUESTS[self._guests or "none"]
        return rights - {Right.CHANGE} if self._keys else rights

    def _own_origins(self, scope: Scope) -> tuple[str, ...]:
        base_url, host = self.base_url(scope), _host(scope)
        schemes = (base_url.partition("://")[0], _HTTP_SCHEMES.get(scope["scheme"], scope["scheme"]))
        return (base_url, *(f"{scheme}://{host}" for scheme in schemes))

    def _is_key(self, api_key: str) -> bool:
        given = api_key.encode()
        matches = [hmac.compare_digest(given, key) for key in self._keys]  # all of them, so that time reveals nothing
        return any(matches)


def _refusal_of_person(viewer: Viewer, right: Right) -> JmgraphError | None:
    if right is Right.ADMIN:
        if not viewer.user.is_admin:
            return Forbidden("Only an administrator may do this.")
        return None if viewer.scope is TokenScope.ADMIN else Forbidden("This token may not administer this server.")
    if right is Right.OPERATE:
        return None if viewer.user.is_admin else Forbidden("Only an administrator may see this.")
    if right in (Right.CHANGE, Right.EDIT_TAGS) and viewer.scope is TokenScope.READ:
        return Forbidden("This token may only read.")
    return None


def _seconds_until_expiry(caller: Caller) -> float | None:
    """When to verify the caller again, at the latest; None for a caller who does not expire."""
    viewer = caller.identity.viewer if caller.identity else None
    if viewer is None or viewer.expires_at is None:
        return None
    return max(_EXPIRY_RETRY_S, viewer.expires_at.timestamp() - time.time())


@lru_cache(maxsize=4096)
def _network_of(address: str) -> str:
    """An address of IPv4 as it is, of IPv6 its /64: "2001:db8:0:1::/64"; any other text as it is."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ip_network((int(parsed) >> 64 << 64, 64)))


def _host(scope: Scope) -> str:
    return header(scope["headers"], b"host") or ""


def _prefix(scope: Scope) -> str:
    """The sub-path of a proxy, as "/jm"; "" without one."""
    prefix: str = scope.get("app_root_path", scope.get("root_path", ""))
    return prefix.rstrip("/")


def github_token(token: str | None) -> str | None:
    """A token that was sent, unless it is a person's: those never leave this server."""
    return None if token is None or is_token(token) else token


def _as_utf8(text: str) -> str:
    """Text whose UTF-8 was read as Latin-1, as headers are read, decoded again."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _normalised_origin(url: str) -> str:
    """Scheme, host and port in lower case, default ports left out; "" for what is no origin ("null")."""
    try:
        parts = urlsplit(url.strip().lower())
        port = parts.port
    except ValueError:
        return ""
    if not parts.scheme or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port is None or port == _DEFAULT_PORTS.get(parts.scheme):
        return f"{parts.scheme}://{host}"
    return f"{parts.scheme}://{host}:{port}"
