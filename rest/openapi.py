"""`/openapi.json`: the described routes as OpenAPI 3.1."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from rest.operations import JSON, Body, Group, Operation, Parameter, Returns
from services.settings import VERSION

DESCRIPTION = (
    "The HTTP beside `/graphql`: the old JMComic server API, images, files and the EhTag connector API. "
    "HEAD is answered where GET is; any other method that is not listed is 405. "
    "A `Host` name that this server does not know is 400 at every address, and one request too many of a client 429, "
    "with `Retry-After`, `RateLimit` and `RateLimit-Policy`."
)

SECURITY_SCHEMES: Mapping[str, Mapping[str, str]] = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "apiKeyAsBearer": {"type": "http", "scheme": "bearer"},
    "gitHubToken": {"type": "apiKey", "in": "header", "name": "X-Token"},
    "gitHubTokenAsBearer": {"type": "http", "scheme": "bearer"},
    "personToken": {"type": "apiKey", "in": "header", "name": "X-Token"},
    "personTokenAsBearer": {"type": "http", "scheme": "bearer", "bearerFormat": "jmg_…"},
}

_REF = "#/components/schemas/{name}"
_CONVERTOR = re.compile(r"{(\w+):\w+}")
_WITHOUT_BODY = frozenset({204, 304})


def openapi_document(groups: Sequence[Group], server: str) -> dict[str, Any]:
    """The document of these groups, for a server below a path: "/" or "/comics"."""
    schemas = Schemas(groups)
    paths: dict[str, dict[str, Any]] = {}
    for group in groups:
        for route, method, operation in group.operations():
            path = _CONVERTOR.sub(r"{\1}", route)
            paths.setdefault(path, {})[method.lower()] = _operation(group, path, method, operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "jmgraph", "version": VERSION, "description": DESCRIPTION},
        "servers": [{"url": server}],
        "tags": [{"name": group.title, "description": group.description} for group in groups],
        "paths": paths,
        "components": {"schemas": schemas.components, "securitySchemes": SECURITY_SCHEMES},
    }


class Schemas:
    """The JSON schemas of all types that the groups name; structs are components, referred to by name."""

    def __init__(self, groups: Sequence[Group]) -> None:
        types = [type for group in groups for type in _types(group)]
        schemas, self.components = msgspec.json.schema_components(types, ref_template=_REF)
        self._by_type = {repr(type): schema for type, schema in zip(types, schemas, strict=True)}

    def of(self, type: Any) -> dict[str, Any]:
        """The schema of a type; a tuple is any one of several."""
        if isinstance(type, tuple):
            return {"anyOf": [self._by_type[repr(choice)] for choice in type]}
        return self._by_type[repr(type)]


def _types(group: Group) -> Iterator[Any]:
    yield group.error
    for _, _, operation in group.operations():
        yield from (parameter.type for parameter in operation.parameters)
        for body in (operation.body, *(one.body for one in operation.responses.values() if isinstance(one, Returns))):
            for type in body.values():
                yield from type if isinstance(type, tuple) else () if type is None else (type,)


def _operation(group: Group, path: str, method: str, operation: Operation, schemas: Schemas) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [group.title],
        "operationId": _operation_id(method, path),
        "summary": operation.summary,
        "parameters": [
            _parameter(parameter, schemas)
            for parameter in operation.parameters
            if parameter.location != "path" or f"{{{parameter.name}}}" in path
        ],
        "responses": {
            str(status): _response(group, method, status, operation.responses[status], schemas)
            for status in sorted(operation.responses)
        },
    }
    if operation.body:
        described["requestBody"] = {"required": True, "content": _content(operation.body, schemas)}
    if operation.security:
        described["security"] = [{name: []} if name else {} for name in operation.security]
    return described


def _operation_id(method: str, path: str) -> str:
    """A name for generated clients: "getV1RankTime"."""
    words = re.findall(r"[A-Za-z0-9]+", path)
    return method.lower() + "".join(word[0].upper() + word[1:] for word in words)


def _parameter(parameter: Parameter, schemas: Schemas) -> dict[str, Any]:
    described = {
        "name": parameter.name,
        "in": parameter.location,
        "description": parameter.description,
        "required": parameter.required,
        "schema": schemas.of(parameter.type),
    }
    return described if parameter.example is None else {**described, "example": parameter.example}


def _response(group: Group, method: str, status: int, returns: Returns | str, schemas: Schemas) -> dict[str, Any]:
    if isinstance(returns, str):
        returns = Returns(returns, {JSON: group.error} if status >= 400 else {})
    described: dict[str, Any] = {"description": returns.description}
    if returns.headers:
        described["headers"] = {
            name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in returns.headers.items()
        }
    if method != "HEAD" and status not in _WITHOUT_BODY:
        described["content"] = _content(returns.body, schemas)
    return described


def _content(body: Body, schemas: Schemas) -> dict[str, Any]:
    return {media_type: {} if type is None else {"schema": schemas.of(type)} for media_type, type in body.items()}
