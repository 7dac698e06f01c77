"""What a request to the EhTag API says, and the decorators of handlers: `reads`, `computes` and `edits`.

Each decorator describes a handler for the OpenAPI document, and checks a request in the order of the contract
before the handler runs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from rest.ehtag.endpoint import TagEndpoint
from rest.ehtag.schemas import CELLS, FORMAT, MEDIA_TYPES
from rest.operations import Body, Parameter, Returns, header, operation
from services.access import github_token
from services.ehtag import (
    CellSources,
    DatabaseState,
    GitHubUser,
    Namespace,
    RowPosition,
    TagDatabase,
    TagForm,
    checked_raw,
    parse_namespace,
)
from services.errors import InvalidInput, NotFound
from services.http_semantics import (
    bearer_token,
    check_content_length,
    etag_matches,
    quality_values,
    quote_etag,
    read_body,
)

MAX_BODY_BYTES = 64 * 1024
"""The longest record of the database has a tenth of this."""

ETAG = {"ETag": "The version of the database: the sha of its head.", "Vary": "What the response depends on."}

_FORMS = {
    "json": TagForm.FULL,
    "full.json": TagForm.FULL,
    "raw.json": TagForm.RAW,
    "html.json": TagForm.HTML,
    "text.json": TagForm.TEXT,
    "ast.json": TagForm.AST,
}
_CELLS = ("name", "intro", "links")

_IF_NONE_MATCH = header("If-None-Match", "The version you have: 304 when it is still the newest.")
_IF_MATCH = header("If-Match", "The version you edit.", "*", required=True)
_NOT_FOUND: Mapping[int, str] = {404: "No such namespace or tag."}
_READ_ERRORS: Mapping[int, str] = {400: "An unknown format, or a bad raw tag.", **_NOT_FOUND}
_COMPUTE_ERRORS: Mapping[int, str] = {
    400: "The body can't be read.",
    413: "The body is too long.",
    **_NOT_FOUND,
}
_EDIT_ERRORS: Mapping[int, Returns | str] = {
    400: "Bad cells, one line for each problem, or a bad raw tag.",
    401: "No token, or one that GitHub refuses.",
    403: "This user may not edit here, for the reason given.",
    409: "Only the starter glossary is there, the work tree has uncommitted changes, or the remote declines edits.",
    412: "Another version is the newest by now.",
    413: "The body is too long.",
    428: "If-Match is missing.",
    502: "GitHub sent an unreadable answer, or the remote refuses this server's token.",
    503: Returns("Another edit waits for the remote.", headers={"Retry-After": "Seconds."}),
    504: "GitHub gave no answer, or the remote did not.",
    **_NOT_FOUND,
}


@dataclass(frozen=True, slots=True)
class TagRequest:
    """A request whose path and form are valid. `namespace` and `raw` are set where the path has them."""

    http_request: Request
    tags: TagDatabase
    state: DatabaseState
    form: TagForm
    namespace: Namespace
    raw: str

    @property
    def has_namespace(self) -> bool:
        """False at a path without one."""
        return "namespace" in self.http_request.path_params

    @property
    def etag(self) -> str:
        """The version of the database, quoted."""
        return quote_etag(self.state.sha)

    @property
    def position(self) -> RowPosition:
        """Where a new row goes. Raises `InvalidInput` for two positions, or one that is no raw tag."""
        sides = {side: self.http_request.query_params.get(side) for side in ("before", "after")}
        given = {side: checked_raw(raw, side) for side, raw in sides.items() if raw is not None}
        if len(given) > 1:
            raise InvalidInput("before", "before and after exclude each other.")
        return RowPosition(**given)


@dataclass(frozen=True, slots=True)
class TagEdit:
    """A request that edits: over which version, by whom, and its body."""

    request: TagRequest
    if_match: str
    user: GitHubUser
    body: bytes


Method = Callable[[Any, Request], Awaitable[Response]]


def reads(
    summary: str, body: Body, parameters: Sequence[Parameter] = (), *, status: int = 200
) -> Callable[[Callable[[Any, TagRequest], Response]], Method]:
    """A GET or HEAD: 304 to a client that has this version, else what the handler answers.

    `FORMAT` among the parameters: a record is asked for, so that an unknown format is 400.
    """

    def decorate(handler: Callable[[Any, TagRequest], Response]) -> Method:
        @operation(
            summary,
            {status: Returns("The answer.", body, ETAG), 304: Returns("You have it.", headers=ETAG), **_READ_ERRORS},
            parameters=(*parameters, _IF_NONE_MATCH),
        )
        async def method(endpoint: TagEndpoint, request: Request) -> Response:
            tag_request = _tag_request(request, parameters)
            condition = request.headers.get("if-none-match")
            if condition is not None and etag_matches(condition.lower(), tag_request.state.sha):
                return Response(status_code=304, headers={"ETag": tag_request.etag})
            return handler(endpoint, tag_request)

        return method

    return decorate


def computes(
    summary: str, body: Body, parameters: Sequence[Parameter] = (), *, takes: Body = CELLS
) -> Callable[[Callable[[Any, TagRequest, bytes], Response]], Method]:
    """A POST that stores nothing: the handler runs in a thread."""

    def decorate(handler: Callable[[Any, TagRequest, bytes], Response]) -> Method:
        @operation(
            summary,
            {200: Returns("The answer.", body, ETAG), **_COMPUTE_ERRORS},
            parameters=parameters,
            body=takes,
        )
        async def method(endpoint: TagEndpoint, request: Request) -> Response:
            tag_request = _tag_request(request, parameters)
            sent = await read_body(request.headers.raw, request.receive, MAX_BODY_BYTES)
            return await tag_request.tags.compute(partial(handler, endpoint), tag_request, sent)

        return method

    return decorate


def edits(
    summary: str,
    responses: Mapping[int, Returns | str],
    parameters: Sequence[Parameter],
    *,
    takes: Body | None = CELLS,
) -> Callable[[Callable[[Any, TagEdit], Awaitable[Response]]], Method]:
    """A change: the path, 413 by length, 428 and 412, 401, then the body and what the handler answers."""

    def decorate(handler: Callable[[Any, TagEdit], Awaitable[Response]]) -> Method:
        @operation(
            summary,
            {**_EDIT_ERRORS, **responses},
            parameters=(*parameters, _IF_MATCH),
            body=takes,
            security=("gitHubToken", "gitHubTokenAsBearer"),
        )
        async def method(endpoint: TagEndpoint, request: Request) -> Response:
            tag_request, headers = _tag_request(request, parameters), request.headers
            check_content_length(headers.raw, MAX_BODY_BYTES)
            if_match = headers.get("if-match", "").strip()
            if not if_match:
                raise HTTPException(428, "If-Match is needed: the ETag of the version you edit.")
            await tag_request.tags.check_version(if_match)
            token = github_token(headers.get("x-token")) or github_token(bearer_token(headers.get("authorization")))
            user = await request.app.state.services.identity.verify(token)
            body = await read_body(headers.raw, request.receive, MAX_BODY_BYTES)
            return await handler(endpoint, TagEdit(tag_request, if_match, user, body))

        return method

    return decorate


def parse_cells(body: bytes) -> CellSources:
    """The cells of `{"name": "…", "intro": "…", "links": "…"}`. Raises `InvalidInput`, a line for each problem."""
    try:
        cells: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InvalidInput("body", "The body must be JSON.") from None
    if not isinstance(cells, dict):
        raise InvalidInput("body", 'The body must be an object: {"name": "…", "intro": "…", "links": "…"}.')
    problems = [f"{field}: must be a string" for field in _CELLS if not isinstance(cells.get(field), str)]
    if problems:
        raise InvalidInput("body", "\n".join(problems))
    return CellSources(cells["name"], cells["intro"], cells["links"])


def _tag_request(request: Request, described: Sequence[Parameter]) -> TagRequest:
    """Check path and form. Raises `NotFound` for an unknown namespace, `InvalidInput` for anything else."""
    tags: TagDatabase = request.app.state.services.tags
    parameters = request.path_params
    namespace = parse_namespace(parameters.get("namespace", Namespace.ROWS.value))
    if namespace is None:
        raise NotFound("There is no such namespace.")
    raw = checked_raw(parameters["raw"]) if "raw" in parameters else ""
    form = _requested_form(request, is_record=FORMAT in described)
    return TagRequest(request, tags, tags.state, form, namespace, raw)


def _requested_form(request: Request, *, is_record: bool) -> TagForm:
    """By `?format=`, else by `Accept`, else the full form. An unknown format of a record raises `InvalidInput`."""
    label = request.query_params.get("format", "").strip().lower()
    if label and label not in _FORMS and is_record:
        raise InvalidInput("format", f"format must be one of {', '.join(_FORMS)}.")
    return _FORMS.get(label) or _accepted_form(request.headers.get("accept", ""))


def _accepted_form(accept: str) -> TagForm:
    qualities = quality_values(accept)
    best = max(MEDIA_TYPES, key=lambda form: qualities.get(MEDIA_TYPES[form], 0.0))  # the first of equals
    quality = qualities.get(MEDIA_TYPES[best], 0.0)
    others = max(qualities.get("application/*", 0.0), qualities.get("*/*", 0.0))
    return best if 0 < quality >= others else TagForm.FULL
