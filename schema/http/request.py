"""A GraphQL request as HTTP carries it: JSON in a POST, parameters of a GET, a persisted query's hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from schema.http.errors import BAD_REQUEST, PERSISTED_QUERY_NOT_FOUND, RequestError
from services.persisted_queries import PersistedQueryStore

MAX_BODY_BYTES = 1 << 20
"""A document of the token limit is far smaller."""


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One operation to run. `query` is empty where only the hash of a persisted query was sent."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None
    persisted_sha256: str | None
    variables_key: bytes
    """The variables as JSON with sorted keys; equal for equal variables."""


def check_media_type(content_type: str) -> None:
    """Return for the media type of JSON; raises `RequestError` (415) for any other."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in ("application/json", "application/graphql-response+json"):
        raise RequestError(415, BAD_REQUEST, "Send the operation as application/json.")


def request_from_body(body: bytes) -> GraphQLRequest:
    """The request in a POST body; raises `RequestError` when there is none."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise RequestError(400, BAD_REQUEST, "The body is no JSON.") from None
    if not isinstance(data, dict):
        raise RequestError(400, BAD_REQUEST, "The body must be one JSON object with a query.")
    return _request(data)


def request_from_parameters(parameters: Mapping[str, str]) -> GraphQLRequest:
    """The request in the parameters of a GET; raises `RequestError` when there is none."""
    data: dict[str, Any] = dict(parameters)
    for name in ("variables", "extensions"):
        if name in data:
            data[name] = _json_parameter(name, data[name])
    return _request(data)


async def with_persisted_query(request: GraphQLRequest, store: PersistedQueryStore) -> GraphQLRequest:
    """The request with its query, which it may name by the sha256 of one that was sent before (Apollo's protocol).

    Raises `RequestError` with PERSISTED_QUERY_NOT_FOUND when the client has to send the query first.
    """
    sha256 = request.persisted_sha256
    if sha256 is None:
        return request
    if not request.query:
        if (query := await store.find(sha256)) is None:
            raise RequestError(200, PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound")
        return replace(request, query=query)
    if hashlib.sha256(request.query.encode()).hexdigest() != sha256:
        raise RequestError(400, BAD_REQUEST, "The sha256Hash is not that of the query.")
    await store.store(sha256, request.query)
    return request


def _json_parameter(name: str, text: str) -> Any:
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        raise RequestError(400, BAD_REQUEST, f"The parameter {name} is no JSON.") from None


def _request(data: Mapping[str, Any]) -> GraphQLRequest:
    query = _typed(data, "query", str) or ""
    variables = _typed(data, "variables", dict)
    sha256 = _persisted_sha256(_typed(data, "extensions", dict) or {})
    if not query.strip() and sha256 is None:
        raise RequestError(400, BAD_REQUEST, "There is no query in this request.")
    return GraphQLRequest(
        query=query,
        variables=variables,
        operation_name=_typed(data, "operationName", str) or None,
        persisted_sha256=sha256,
        variables_key=_sorted_json(variables) if variables else b"",
    )


def _sorted_json(variables: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(variables, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # orjson reads deeper nesting than it writes
        raise RequestError(400, BAD_REQUEST, "The variables are nested too deeply.") from None


def _typed(data: Mapping[str, Any], name: str, kind: type) -> Any:
    value = data.get(name)
    if value is not None and not isinstance(value, kind):
        expected = "a string" if kind is str else "an object"
        raise RequestError(400, BAD_REQUEST, f"{name} must be {expected} or null.")
    return value


def _persisted_sha256(extensions: Mapping[str, Any]) -> str | None:
    persisted = extensions.get("persistedQuery")
    if persisted is None:
        return None
    sha256 = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if not isinstance(sha256, str) or persisted.get("version") != 1:
        raise RequestError(400, BAD_REQUEST, "persistedQuery needs version 1 and a sha256Hash.")
    return sha256.lower()
