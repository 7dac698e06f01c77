"""Answers as HTTP carries them: media types, validators, freshness, compression, and each request's own figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from graphql import GraphQLError
from starlette.types import Send

from resolvers.context import Context
from resolvers.headers import STALE_WARNING, names_etag, qualities
from schema.http.errors import BAD_REQUEST, PARSE_FAILED, TOO_COSTLY, VALIDATION_FAILED, RequestError
from schema.http.metrics import figures
from schema.http.response_cache import SMALLEST_COMPRESSED_BYTES, Answer
from services.observability import Usage

JSON = b"application/json"
GRAPHQL_JSON = b"application/graphql-response+json"
UNBOUND_FRESH_S = 60.0
"""How long an answer without any part of the site is kept; its key holds the tag database's version."""

_NEVER_RAN = frozenset({PARSE_FAILED, VALIDATION_FAILED, TOO_COSTLY, BAD_REQUEST})


@dataclass(frozen=True, slots=True)
class Ask:
    """One HTTP request, as far as every answer needs it."""

    method: str
    accept: str
    takes_gzip: bool
    if_none_match: str
    context: Context


def answer_of(data: Any, errors: Sequence[GraphQLError], usage: Usage) -> Answer:
    """Its errors, then its data: what never ran has none, not even null."""
    told = b'"errors":' + orjson.dumps([error.formatted for error in errors], default=str) if errors else b""
    given = b"" if never_ran(errors) else b'"data":' + orjson.dumps(data, default=str)
    head = b"{" + b",".join(part for part in (told, given) if part)
    fresh_for_s = UNBOUND_FRESH_S if usage.fresh_for_s is None else usage.fresh_for_s
    return Answer(head, age_s=usage.age_s, fresh_for_s=fresh_for_s, is_stale=usage.stale)


def never_ran(errors: Sequence[GraphQLError]) -> bool:
    """True for an operation that was refused before its first field."""
    return bool(errors) and all(
        error.path is None and (error.extensions or {}).get("code") in _NEVER_RAN for error in errors
    )


async def send_answer(
    ask: Ask,
    answer: Answer,
    usage: Usage,
    send: Send,
    *,
    began_at: float,
    budget: int,
    keepable: bool,
    status: int = 200,
) -> None:
    """Send a whole answer, or 304 to who has it; `keepable` for what caches may keep and everybody may read.

    `began_at` is of `time.perf_counter`; `budget` what the operation might have spent.
    """
    headers = [(b"vary", b"Accept, Accept-Encoding")]
    is_get = ask.method != "POST"
    if is_get and keepable:
        headers += [
            (b"etag", answer.etag.encode()),
            (b"cache-control", b"public, max-age=%d" % answer.max_age_s),
        ]
    else:
        headers.append((b"cache-control", b"no-store"))
    if keepable and answer.age_now_s >= 1:
        headers.append((b"age", b"%d" % int(answer.age_now_s)))
    if answer.is_stale:
        headers.append((b"warning", STALE_WARNING.encode()))
    if is_get and keepable and names_etag(ask.if_none_match, answer.etag):
        await _send(send, 304, None, b"", headers)
        return
    tail = _tail(answer, usage, began_at, budget)
    if ask.takes_gzip and len(answer.head) >= SMALLEST_COMPRESSED_BYTES:
        headers.append((b"content-encoding", b"gzip"))
        body = answer.gzipped(tail)
    else:
        body = answer.plain(tail)
    media_type = GRAPHQL_JSON if is_graphql_json(ask.accept) else JSON
    await _send(send, status, media_type, body, headers, head_only=ask.method == "HEAD")


def _tail(answer: Answer, usage: Usage, began_at: float, budget: int) -> bytes:
    told = figures(usage, began_at, budget, stale=answer.is_stale, age_s=answer.age_now_s)
    return b',"extensions":{"jmgraph":' + orjson.dumps(told) + b"}}"


async def refuse(ask: Ask, error: RequestError, send: Send) -> None:
    """Send the answer to a request that never ran."""
    extensions = dict(error.extensions)
    allow = extensions.pop("allow", None)
    headers = [(b"cache-control", b"no-store"), (b"vary", b"Accept, Accept-Encoding")]
    if allow:
        headers.append((b"allow", allow.encode()))
    body = orjson.dumps({"errors": [{"message": error.message, "extensions": extensions}]})
    media_type = GRAPHQL_JSON if is_graphql_json(ask.accept) else JSON
    await _send(send, error.status, media_type, body, headers, head_only=ask.method == "HEAD")


@lru_cache(256)
def is_graphql_json(accept: str) -> bool:
    """True for clients of the newer media type, unless they like the older one better."""
    liked = qualities(accept)
    return liked.get(GRAPHQL_JSON.decode(), 0.0) > 0 and liked[GRAPHQL_JSON.decode()] >= liked.get(JSON.decode(), 0.0)


@lru_cache(256)
def takes_gzip(accept_encoding: str) -> bool:
    """True for clients to whom a compressed answer may be sent."""
    liked = qualities(accept_encoding)
    return liked.get("gzip", liked.get("*", 0.0)) > 0


async def _send(
    send: Send,
    status: int,
    media_type: bytes | None,
    body: bytes,
    headers: list[tuple[bytes, bytes]],
    *,
    head_only: bool = False,
) -> None:
    described = (
        []
        if media_type is None
        else [
            (b"content-type", media_type),
            (b"content-length", b"%d" % len(body)),
        ]
    )
    await send({"type": "http.response.start", "status": status, "headers": [*described, *headers]})
    await send({"type": "http.response.body", "body": b"" if head_only else body})
