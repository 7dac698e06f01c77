"""Addresses as tables: which methods an address has, what each does, and what it says of itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp

Handler = Callable[[Request], Awaitable[ASGIApp]]
"""Gives a response, or whatever answers in its stead."""

Schema = Mapping[str, Any]
"""A JSON schema. One with a `title` is a type of its own in the document, under that name."""

Bodies = Mapping[str, Schema]
"""Media type to schema; an empty schema is any bytes."""

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A part of a path or a query, or a header: what it means, and what it may be."""

    about: str
    schema: Schema = field(default_factory=lambda: {"type": "string"})
    example: Any = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of an address, with what its documentation says.

    `answers` is status to meaning; `takes` is the body it reads, `gives` those it answers
    with below 300, `tells` the JSON of a status that differs from that, or from the errors of its section; `notes`
    are headers of its good answers, name to meaning. `keys` names the security schemes one of which it asks for.
    """

    handle: Handler
    summary: str
    answers: Mapping[int, str]
    query: Mapping[str, Parameter] = field(default_factory=dict)
    headers: Mapping[str, Parameter] = field(default_factory=dict)
    takes: Bodies = field(default_factory=dict)
    gives: Bodies = field(default_factory=dict)
    tells: Mapping[int, Schema] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Address:
    """A path in Starlette's notation, relative to where it is mounted, its parts, and its methods."""

    path: str
    operations: Mapping[str, Operation]
    parts: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Section:
    """Addresses that belong together, for the document: where they are mounted, and how they tell errors."""

    title: str
    about: str
    addresses: Sequence[Address]
    error: Schema
    base: str = ""
