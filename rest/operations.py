"""What the OpenAPI document says of a handler, written beside it: the decorator `operation`.

`/openapi.json` is made of the routes and of these descriptions; the types of bodies are the msgspec structs that
the handlers answer with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar

from msgspec import Meta
from starlette.endpoints import HTTPEndpoint
from starlette.routing import BaseRoute, Route

JSON = "application/json"

Body = Mapping[str, Any]
"""Media type to the Python type of the body; None for any bytes, a tuple for one of several types."""

Digits = Annotated[str, Meta(pattern="^[0-9]+$")]
AlbumNumber = Annotated[str, Meta(pattern="^([Jj][Mm])?0*[1-9][0-9]{0,11}$", max_length=100)]
"""The plainest forms of what `parse_album_id` reads."""
SAMPLE_ALBUM = "350234"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a path or a query, or a header; `type` is a Python type that msgspec can describe."""

    name: str
    description: str
    type: Any = str
    example: Any = None
    required: bool = False
    location: Literal["path", "query", "header"] = "query"


def path(name: str, description: str, type: Any = str, example: Any = None) -> Parameter:
    """A parameter of the path."""
    return Parameter(name, description, type, example, required=True, location="path")


def header(name: str, description: str, example: Any = None, *, required: bool = False) -> Parameter:
    """A header of the request."""
    return Parameter(name, description, str, example, required, "header")


@dataclass(frozen=True, slots=True)
class Returns:
    """One response: what it means, its body by media type, and headers worth naming, each with its meaning."""

    description: str
    body: Body = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def returns_json(description: str, type: Any) -> Returns:
    """A response with a JSON body of this type."""
    return Returns(description, {JSON: type})


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of a path. `security` names the schemes one of which it needs; "" for none."""

    summary: str
    responses: Mapping[int, Returns | str]
    parameters: Sequence[Parameter] = ()
    body: Body = field(default_factory=dict)
    security: Sequence[str] = ()


Handler = TypeVar("Handler", bound=Callable[..., Any])


def operation(
    summary: str,
    responses: Mapping[int, Returns | str],
    *,
    parameters: Sequence[Parameter] = (),
    body: Body | None = None,
    security: Sequence[str] = (),
) -> Callable[[Handler], Handler]:
    """Describe a handler, or a method of an `HTTPEndpoint`.

    A response that is only a text has no body below 400, and from there on the error body of its group. Parameters
    of the path are left out where a route has none of that name.
    """
    described = Operation(summary, responses, parameters, body or {}, security)

    def describe(handler: Handler) -> Handler:
        handler.operation = described  # type: ignore[attr-defined]
        return handler

    return describe


@dataclass(frozen=True, slots=True)
class Group:
    """Routes that belong together (a tag of the document), and the type of their JSON errors."""

    title: str
    description: str
    routes: Sequence[BaseRoute]
    error: Any

    def operations(self) -> Iterator[tuple[str, str, Operation]]:
        """Path in Starlette's notation, method, and description of each described handler."""
        for route in self.routes:
            if isinstance(route, Route):
                for method, handler in _handlers(route):
                    if (described := getattr(handler, "operation", None)) is not None:
                        yield route.path, method, described


def _handlers(route: Route) -> Iterator[tuple[str, Any]]:
    if isinstance(route.endpoint, type) and issubclass(route.endpoint, HTTPEndpoint):
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
            if (handler := getattr(route.endpoint, method.lower(), None)) is not None:
                yield method, handler
    else:
        yield "GET", route.endpoint
