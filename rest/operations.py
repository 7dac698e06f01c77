"""Addresses as tables: which methods an address has, what each does, and what it says of itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.types import ASGIApp

Handler = Callable[[Request], Awaitable[ASGIApp]]
"""Gives a response, or whatever answers in its stead."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of an address, with what its documentation says.

    `answers` is status to meaning; `query` and `headers` are name to meaning; `body` is the media type it reads,
    `produces` those it answers with.
    """

    handle: Handler
    summary: str
    answers: Mapping[int, str]
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    produces: tuple[str, ...] = ("application/json",)


@dataclass(frozen=True, slots=True)
class Address:
    """A path in Starlette's notation, relative to where it is mounted, and its methods."""

    path: str
    operations: Mapping[str, Operation]
