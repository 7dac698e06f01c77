"""`/openapi.json`: what the tables of addresses say of themselves, as OpenAPI 3.1."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from rest import files, health, images
from rest.answers import json_response
from rest.ehtag import routes as ehtag
from rest.operations import JSON, Address, Operation, Parameter, Schema, Section
from rest.v1 import downloads as v1_downloads
from rest.v1 import notifications
from rest.v1 import reads as v1
from services.version import VERSION

SECTIONS: tuple[Section, ...] = (
    v1.SECTION,
    v1_downloads.SECTION,
    notifications.SECTION,
    images.SECTION,
    files.SECTION,
    ehtag.SECTION,
    health.SECTION,
)

ABOUT = (
    "The HTTP beside `/graphql`: the old JMComic server API, images, files and the EhTag connector API. "
    "HEAD is answered where GET is; any other method that is not listed is 405. "
    "A `Host` name that this server does not know is 400 at every address."
)

KEYS: Mapping[str, Mapping[str, str]] = {
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "apiKeyAsBearer": {"type": "http", "scheme": "bearer"},
    "gitHubToken": {"type": "apiKey", "in": "header", "name": "X-Token"},
    "gitHubTokenAsBearer": {"type": "http", "scheme": "bearer"},
}

_PART = re.compile(r"{(\w+)(?::\w+)?}")
_BARE = frozenset({204, 304})
"""Statuses without a body."""


async def openapi(request: Request) -> Response:
    """The document, with the sub-path it was asked under."""
    return json_response(document(server_path(request)), headers={"Cache-Control": "no-cache"})


def server_path(request: Request) -> str:
    """Path under which the caller reaches this server: "/" or "/comics"; relative to where the document came from."""
    return urlsplit(request.app.state.services.access.base_url(request.scope)).path or "/"


def document(server: str) -> dict[str, Any]:
    """The whole document."""
    types: dict[str, Any] = {}
    return {
        "openapi": "3.1.0",
        "info": {"title": "jmgraph", "version": VERSION, "description": ABOUT},
        "servers": [{"url": server}],
        "tags": [{"name": section.title, "description": section.about} for section in SECTIONS],
        "paths": dict(path for section in SECTIONS for path in _paths(section, types)),
        "components": {"schemas": types, "securitySchemes": KEYS},
    }


def _paths(section: Section, types: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for address in section.addresses:
        path = section.base + _PART.sub(r"{\1}", address.path)
        yield (
            path,
            {
                method.lower(): _operation(section, address, path, method, operation, types)
                for method, operation in address.operations.items()
            },
        )


def _operation(
    section: Section, address: Address, path: str, method: str, operation: Operation, types: dict[str, Any]
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [section.title],
        "operationId": _id(method, path),
        "summary": operation.summary,
        "parameters": list(_parameters(address, operation, types)),
        "responses": {
            str(status): _answer(section, operation, method, status, types) for status in sorted(operation.answers)
        },
    }
    if operation.takes:
        described["requestBody"] = {"required": True, "content": _content(operation.takes, types)}
    if operation.keys:
        described["security"] = [{key: []} for key in operation.keys if key] + [{}] * ("" in operation.keys)
    return described


def _id(method: str, path: str) -> str:
    """A name for generated clients: "getV1RankTime"."""
    words = re.findall(r"[A-Za-z0-9]+", path)
    return method.lower() + "".join(word[0].upper() + word[1:] for word in words)


def _parameters(address: Address, operation: Operation, types: dict[str, Any]) -> Iterator[dict[str, Any]]:
    parts = {name: replace(address.parts[name], required=True) for name in _PART.findall(address.path)}
    for place, parameters in (("path", parts), ("query", operation.query), ("header", operation.headers)):
        for name, parameter in parameters.items():
            yield {**_parameter(name, parameter, types), "in": place, "required": parameter.required}


def _parameter(name: str, parameter: Parameter, types: dict[str, Any]) -> dict[str, Any]:
    described = {"name": name, "description": parameter.about, "schema": _named(parameter.schema, types)}
    return described if parameter.example is None else {**described, "example": parameter.example}


def _answer(
    section: Section, operation: Operation, method: str, status: int, types: dict[str, Any]
) -> dict[str, Any]:
    described: dict[str, Any] = {"description": operation.answers[status]}
    if operation.notes and status < 400:
        described["headers"] = {
            name: {"description": about, "schema": {"type": "string"}} for name, about in operation.notes.items()
        }
    if method == "HEAD" or status in _BARE:
        return described
    described["content"] = _content(_bodies(section, operation, status), types)
    return described


def _bodies(section: Section, operation: Operation, status: int) -> Mapping[str, Schema]:
    if status in operation.tells:
        return {JSON: operation.tells[status]}
    return operation.gives if status < 400 else {JSON: section.error}


def _content(bodies: Mapping[str, Schema], types: dict[str, Any]) -> dict[str, Any]:
    return {media_type: {"schema": _named(schema, types)} if schema else {} for media_type, schema in bodies.items()}


def _named(schema: Any, types: dict[str, Any]) -> Any:
    """The schema, with each part that has a title put among the types and referred to."""
    if isinstance(schema, list):
        return [_named(item, types) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    plain = {key: _named(value, types) for key, value in schema.items()}
    title = schema.get("title")
    if not isinstance(title, str):
        return plain
    if types.setdefault(title, plain) != plain:
        raise ValueError(f"two types are called {title}")
    return {"$ref": f"#/components/schemas/{title}"}
