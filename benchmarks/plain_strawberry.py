"""A good plain Strawberry server: the same types and values, objects in memory, no cache.

`JMGRAPH_BENCH_RANKING` names a JSON file with the response of `RANKING`; the objects are made from it at start.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from strawberry.asgi import GraphQL

RANKING = """{ ranking { total entries { rank album { id title
  tags { name match translation { id name intro } } authors { name translation { id name } }
  pageCount viewCount } } } }"""


@strawberry.type
class Tag:
    """A record."""

    id: strawberry.ID
    name: str
    intro: str = ""


@strawberry.type
class AlbumTag:
    """A tag of the site."""

    name: str
    match: str | None = None
    translation: Tag | None = None


@strawberry.type
class Album:
    """An album."""

    id: strawberry.ID
    title: str
    tags: list[AlbumTag]
    authors: list[AlbumTag]
    page_count: int
    view_count: int


@strawberry.type
class RankingEntry:
    """A line."""

    rank: int
    album: Album


@strawberry.type
class Ranking:
    """A page."""

    total: int
    entries: list[RankingEntry]


def _tag(tag: dict[str, Any]) -> AlbumTag:
    record = tag["translation"]
    return AlbumTag(
        name=tag["name"],
        match=tag.get("match"),
        translation=Tag(id=record["id"], name=record["name"], intro=record.get("intro", "")) if record else None,
    )


def _ranking(data: dict[str, Any]) -> Ranking:
    return Ranking(
        total=data["total"],
        entries=[
            RankingEntry(
                rank=entry["rank"],
                album=Album(
                    id=entry["album"]["id"],
                    title=entry["album"]["title"],
                    tags=[_tag(tag) for tag in entry["album"]["tags"]],
                    authors=[_tag(tag) for tag in entry["album"]["authors"]],
                    page_count=entry["album"]["pageCount"],
                    view_count=entry["album"]["viewCount"],
                ),
            )
            for entry in data["entries"]
        ],
    )


_STORED = _ranking(json.loads(Path(os.environ["JMGRAPH_BENCH_RANKING"]).read_text("utf-8"))["data"]["ranking"])


@strawberry.type
class Query:
    """The one root."""

    @strawberry.field
    def ranking(self) -> Ranking:
        """The ranking."""
        return _STORED


async def _ready(_: Request) -> PlainTextResponse:
    return PlainTextResponse("ready")


_endpoint: Any = GraphQL(strawberry.Schema(Query))
app = Starlette(routes=[Route("/ready", _ready), Route("/graphql", _endpoint, methods=["GET", "POST"])])
