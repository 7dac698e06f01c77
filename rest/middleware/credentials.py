"""Credentials of people in requests: a token in `Authorization` or `X-Token`, the session's cookie, HTTP Basic.

Also what each path needs of its caller, and how a refusal looks there.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from functools import lru_cache
from typing import cast

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from rest.opds import AUTHENTICATION, authentication_document
from rest.responses import STATUS_OF_CODE, error_response
from rest.v1.errors import LOGIN_EXPIRED, LOGIN_NEEDED, WRONG_LOGIN, detail_response
from services.access import (
    CALLER_KEY,
    IDENTITY_KEY,
    PERSONAL_KEY,
    SESSION_COOKIE,
    Access,
    Caller,
    CredentialKind,
    Identity,
    Right,
)
from services.container import Services
from services.errors import Forbidden, InvalidCredentials, JmgraphError, Unauthenticated
from services.http_semantics import bearer_token, header, retry_headers, route_path
from services.people import is_token

Header = tuple[bytes, bytes]

GRAPHQL_PATH = "/graphql"
"""Checks by itself what each operation needs."""

_PUBLIC_PATHS = frozenset(
    {
        "/",
        "/manifest.webmanifest",
        "/sw.js",
        "/healthz",
        "/readyz",  # without details for whoever may not read
        "/v1/login",
        "/v1/logout",
        "/api/database/~update-webhook",  # signed by GitHub
    }
)
_ASSETS = "/assets/"
_DOWNLOADS = ("/downloads/", "/v1/download/", "/v1/notifications/", "/ws/notifications/")
_METRICS = "/metrics"
_TAG_DATABASE = "/api/database/"
_READING_METHODS = frozenset({"GET", "HEAD"})

_BASIC_PATHS = ("/opds", "/images", "/downloads", "/v1")
"""Where a name with a password, or a token in its place, may be sent by HTTP Basic."""
_V1_PATHS = ("/v1", "/ws")
_PICTURES = ("/images", "/v1/get/cover", "/opds/covers", "/opds/pages")
"""Are the same for everybody who may see them, so that a browser may keep them."""

_TAG_API_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Location",
    "Vary": "Accept, Accept-Encoding, Origin",
}


def right_of(path: str, method: str) -> Right:
    """What a path outside `/graphql` needs; READ for every one that is not named here.

    `right_of("/downloads/0193/tea.cbz", "GET")` is DOWNLOADS.
    """
    if method == "OPTIONS" or path in _PUBLIC_PATHS or path.startswith(_ASSETS):
        return Right.PUBLIC
    if path.startswith(_DOWNLOADS):
        return Right.DOWNLOADS
    if path == _METRICS:
        return Right.OPERATE
    if path.startswith(_TAG_DATABASE) and method not in _READING_METHODS:
        return Right.EDIT_TAGS
    return Right.READ


async def pass_on_authenticated(app: ASGIApp, services: Services, scope: Scope, receive: Receive, send: Send) -> None:
    """Verify the credential of a request, check the right that its path needs, and pass it on.

    A refused cookie is no obstacle to what is public, so that its browser can log in again.
    """
    path, access = route_path(scope), services.access
    identity = await _identify(services, scope, path)
    caller = scope[CALLER_KEY] = access.read_caller(scope, identity)
    if identity is not None:
        send = _removing_cookie(access, identity, scope, send)
    if (refusal := _refusal(access, caller, scope, path)) is not None:
        await refuse(refusal, caller, path, scope, receive, send)
        return
    if access.blocked_tags(caller):
        scope[PERSONAL_KEY] = True
        send = _private(send, is_stored=_is_under(path, _PICTURES))
    elif not access.is_public:
        send = _private(send)
    await app(scope, receive, send)


def _refusal(access: Access, caller: Caller, scope: Scope, path: str) -> JmgraphError | None:
    """Why this request is not passed on; None when it is."""
    is_socket, identity = scope["type"] == "websocket", caller.identity
    failure = identity.failure if identity else None
    has_cookie = identity is not None and identity.kind is CredentialKind.COOKIE
    is_graphql = path == GRAPHQL_PATH
    try:
        if failure is not None and (is_socket or not (is_graphql or has_cookie)):
            raise failure
        if is_socket and has_cookie and caller.origin is not None:
            _require_own_page(access, caller)
        if not is_graphql:
            access.require(caller, right_of(path, "GET" if is_socket else scope["method"]))
    except JmgraphError as error:
        return error
    return None


def _require_own_page(access: Access, caller: Caller) -> None:
    """Unlike a response, a socket can be read by the page of another origin, whose browser sends our cookie."""
    if not access.is_own_page(caller):
        raise Forbidden("Pages of this origin may not use the session of this server's page.")


async def _identify(services: Services, scope: Scope, path: str) -> Identity | None:
    """Whose credential the request carries; None without one."""
    if (known := scope.get(IDENTITY_KEY)) is not None:
        return cast("Identity", known)
    headers = scope["headers"]
    if (token := _header_token(headers, path)) is not None:
        return await _identity_of(services, CredentialKind.TOKEN, token)
    if (basic := _basic_credentials(headers, path)) is not None:
        client = scope.get("client")
        identity = await _identity_of_basic(services, basic, client[0] if client else "")
        if identity is not None:
            return identity
    cookie = _session_cookie(headers)
    return None if cookie is None else await _identity_of(services, CredentialKind.COOKIE, cookie)


def known_identity(services: Services, scope: Scope) -> Identity | None:
    """Whose token the request carries, where that was verified lately; None for any other request."""
    headers, path, kind = scope["headers"], route_path(scope), CredentialKind.TOKEN
    token = _header_token(headers, path)
    if token is None and _basic_credentials(headers, path) is None:
        token, kind = _session_cookie(headers), CredentialKind.COOKIE
    viewer = None if token is None else services.people.tokens.known(token)
    return None if viewer is None else Identity(kind, viewer, token)


def _header_token(headers: Iterable[Header], path: str) -> str | None:
    bearer = bearer_token(header(headers, b"authorization"))
    if bearer is not None and is_token(bearer):
        return bearer
    token = header(headers, b"x-token") if _is_under(path, _V1_PATHS) else None
    return token if token is not None and is_token(token) else None


def _basic_credentials(headers: Iterable[Header], path: str) -> str | None:
    """Name and password as HTTP Basic encodes them, where that is taken."""
    authorization = header(headers, b"authorization")
    is_basic = authorization is not None and authorization[:6].lower() == "basic "
    return authorization[6:] if authorization and is_basic and _is_under(path, _BASIC_PATHS) else None


async def _identity_of(services: Services, kind: CredentialKind, token: str) -> Identity:
    tokens = services.people.tokens
    try:
        return Identity(kind, await tokens.identify(token), token)
    except JmgraphError as error:
        return Identity(kind, failure=error)


async def _identity_of_basic(services: Services, encoded: str, address: str) -> Identity | None:
    """None on an open server, which has no passwords: these are meant for a proxy in front of it."""
    name, password = _name_and_password(encoded)
    if is_token(password):
        return await _identity_of(services, CredentialKind.BASIC, password)
    if not services.access.is_closed:
        return None
    try:
        viewer = await services.people.logins.verify_again(name, password, address)
    except JmgraphError as error:
        return Identity(CredentialKind.BASIC, failure=error)
    return Identity(CredentialKind.BASIC, viewer)


def _name_and_password(encoded: str) -> tuple[str, str]:
    """What HTTP Basic has (RFC 7617); two empty texts where it can't be read."""
    try:
        name, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password


def _session_cookie(headers: Iterable[Header]) -> str | None:
    """The first cookie of this name: browsers send that of the longest path first."""
    for pair in (header(headers, b"cookie") or "").replace(",", ";").split(";"):
        name, _, value = pair.strip().partition("=")
        if name == SESSION_COOKIE:
            return value
    return None


def _is_under(path: str, prefixes: tuple[str, ...]) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)


async def refuse(error: JmgraphError, caller: Caller, path: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the error in the form of the API that has this path."""
    response = _refusal_response(error, caller, path, scope)
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(response)
    else:
        await response(scope, receive, send)


def _refusal_response(error: JmgraphError, caller: Caller, path: str, scope: Scope) -> Response:
    status = STATUS_OF_CODE[error.error_code]
    headers = {"Cache-Control": "no-store", **retry_headers(error)}
    if status == 401:
        headers["WWW-Authenticate"] = _challenge(path, scope["headers"])
    if _is_under(path, _V1_PATHS):
        return detail_response(status, _v1_words(error, caller), headers)
    if status == 401 and _is_under(path, ("/opds",)):
        base_url = scope["app"].state.services.access.base_url(scope)
        return Response(authentication_document(base_url), status, headers, media_type=AUTHENTICATION)
    if _is_under(path, ("/api",)):
        headers |= _TAG_API_HEADERS
    return error_response(status, error.error_code, error.message, retryable=error.retryable, headers=headers)


def _v1_words(error: JmgraphError, caller: Caller) -> str:
    if isinstance(error, InvalidCredentials):
        return WRONG_LOGIN
    if not isinstance(error, Unauthenticated):
        return error.message
    return LOGIN_NEEDED if caller.identity is None else LOGIN_EXPIRED


def _challenge(path: str, headers: Iterable[Header]) -> str:
    """How to authenticate. Not Basic for the pictures of a page, since its browser would ask for a password."""
    mode = header(headers, b"sec-fetch-mode")
    is_basic = _is_under(path, _BASIC_PATHS) and mode in (None, "navigate")
    return 'Basic realm="jmgraph", charset="UTF-8"' if is_basic else 'Bearer realm="jmgraph"'


def _removing_cookie(access: Access, identity: Identity, scope: Scope, send: Send) -> Send:
    """Remove a cookie that is refused from its browser, with the refusal."""
    is_refused = identity.kind is CredentialKind.COOKIE and isinstance(identity.failure, Unauthenticated)
    if not is_refused:
        return send
    removal = (b"set-cookie", access.session_cookie(scope, "").encode())

    async def send_with_removal(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 401:
            message["headers"] = [*message.get("headers", ()), removal]
        await send(message)

    return send_with_removal


def _private(send: Send, *, is_stored: bool = True) -> Send:
    """Keep responses out of caches that are shared: not everybody who reaches those may read them; unless
    `is_stored`, out of the browser's too.
    """

    async def send_private(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                (name, _without_public(value, is_stored=is_stored) if name == b"cache-control" else value)
                for name, value in message.get("headers", ())
            ]
        await send(message)

    return send_private


@lru_cache(maxsize=256)
def _without_public(cache_control: bytes, *, is_stored: bool) -> bytes:
    """`public, max-age=60, s-maxage=30` is `private, max-age=60`, or `private, no-store`."""
    directives = [directive.strip() for directive in cache_control.split(b",")]
    if b"public" not in directives:
        return cache_control
    if not is_stored:
        return b"private, no-store"
    kept = [each for each in directives if each != b"public" and not each.startswith(b"s-maxage")]
    return b", ".join([b"private", *kept])
