"""What a request to the EhTag API says: where, in which form, over which version, by whom, with what cells."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from rest.ehtag.endpoint import LONGEST_BODY, quoted
from rest.ehtag.formats import form_of
from rest.operations import Handler
from services.ehtag import (
    CellSources,
    DatabaseState,
    GitHubUser,
    Namespace,
    Place,
    TagDatabase,
    TagForm,
    checked_raw,
    names_version,
    parse_namespace,
)
from services.errors import InvalidInput, NotFound
from services.http_semantics import bearer_token

_CELLS = ("name", "intro", "links")


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose address and form are right. `namespace` and `raw` are set where the address has them."""

    request: Request
    tags: TagDatabase
    state: DatabaseState
    form: TagForm
    namespace: Namespace
    raw: str

    @property
    def has_namespace(self) -> bool:
        """False at an address that names none."""
        return "namespace" in self.request.path_params

    @property
    def place(self) -> Place:
        """Where a new row goes. Raises `InvalidInput` for two places, or one that can't be a raw tag."""
        named = {side: self.request.query_params.get(side) for side in ("before", "after")}
        given = {side: checked_raw(raw, side) for side, raw in named.items() if raw is not None}
        if len(given) > 1:
            raise InvalidInput("before", "before and after exclude each other.")
        return Place(**given)


Reading = Callable[[Call], Response]
Tool = Callable[[Call, bytes], Response]


@dataclass(frozen=True, slots=True)
class Writing:
    """A call that changes something: over which version, by whom, and the body it brought."""

    call: Call
    if_match: str
    user: GitHubUser
    body: bytes


def reading(answer: Reading) -> Handler:
    """A GET or HEAD: 304 for a client that has this version, else the answer."""

    async def handle(request: Request) -> Response:
        call = _call(request)
        known = request.headers.get("if-none-match")
        if known is not None and names_version(known, call.state.sha):
            return Response(status_code=304, headers={"ETag": quoted(call.state.sha)})
        return answer(call)

    return handle


def tool(answer: Tool) -> Handler:
    """A POST that stores nothing."""

    async def handle(request: Request) -> Response:
        call = _call(request)
        return await call.tags.compute(answer, call, await read_body(request, LONGEST_BODY))

    return handle


def writing(answer: Callable[[Writing], Awaitable[Response]]) -> Handler:
    """A change: the address, 413 by length, 428 and 412, 401, then the body."""

    async def handle(request: Request) -> Response:
        call = _call(request)
        refuse_long(request, LONGEST_BODY)
        if_match = request.headers.get("if-match", "").strip()
        if not if_match:
            raise HTTPException(428, "If-Match is needed: the ETag of the version you edit.")
        await call.tags.check_version(if_match)
        user = await request.app.state.services.identity.verify(_token(request))
        return await answer(Writing(call, if_match, user, await read_body(request, LONGEST_BODY)))

    return handle


async def read_body(request: Request, most_bytes: int) -> bytes:
    """The whole body. Raises 413 as soon as it is known to be longer."""
    refuse_long(request, most_bytes)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most_bytes:
            raise _too_long(most_bytes)
        parts.append(part)
    return b"".join(parts)


def refuse_long(request: Request, most_bytes: int) -> None:
    """Raise 413 when the announced length is over the limit; a length need not be announced."""
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > most_bytes:
        raise _too_long(most_bytes)


def read_cells(body: bytes) -> CellSources:
    """The cells of `{"name": "…", "intro": "…", "links": "…"}`. Raises `InvalidInput`, a line for each problem."""
    try:
        found: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InvalidInput("body", "The body must be JSON.") from None
    if not isinstance(found, dict):
        raise InvalidInput("body", 'The body must be an object: {"name": "…", "intro": "…", "links": "…"}.')
    problems = [f"{field}: must be a string" for field in _CELLS if not isinstance(found.get(field), str)]
    if problems:
        raise InvalidInput("body", "\n".join(problems))
    return CellSources(found["name"], found["intro"], found["links"])


def _call(request: Request) -> Call:
    """Look at the address and the form. Raises `NotFound` for no namespace, `InvalidInput` for anything else."""
    tags: TagDatabase = request.app.state.services.tags
    parameters = request.path_params
    namespace = parse_namespace(parameters.get("namespace", Namespace.ROWS.value))
    if namespace is None:
        raise NotFound("There is no such namespace.")
    raw = checked_raw(parameters["raw"]) if "raw" in parameters else ""
    return Call(request, tags, tags.state, form_of(request), namespace, raw)


def _token(request: Request) -> str | None:
    return request.headers.get("x-token") or bearer_token(request.headers.get("authorization"))


def _too_long(most_bytes: int) -> HTTPException:
    return HTTPException(413, f"The body may have {most_bytes} bytes at most.")
