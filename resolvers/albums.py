"""Albums, their lists and comments: one call to the catalog each."""

from __future__ import annotations

from collections.abc import Sequence

from resolvers.context import Context
from services.catalog import (
    AlbumDetail,
    AlbumListPage,
    AlbumSummary,
    CommentPageRecord,
    RankingPage,
    RankingQuery,
    SearchQuery,
    parse_album_id,
    parse_album_ids,
)
from services.errors import AlbumNotFound, JmgraphError


async def find(context: Context, id: str) -> AlbumDetail | None:
    """The album with this number, None when the site has none."""
    return await context.services.catalog.find_album(parse_album_id(id))


async def find_many(context: Context, ids: Sequence[str]) -> list[AlbumDetail | JmgraphError | None]:
    """Many albums in the order asked; what could not be read is its error, in its place."""
    return list(await context.services.catalog.find_albums(parse_album_ids(ids)))


def peek(context: Context, id: str) -> AlbumDetail | None:
    """The detail of a listed album when it is at hand; None says nothing."""
    return context.services.catalog.peek_album(id)


async def detail(context: Context, id: str) -> AlbumDetail:
    """The detail of a listed album; raises `AlbumNotFound` when it has gone."""
    if (record := await context.loaders.detail_of.load(id)) is None:
        raise AlbumNotFound(id)
    return record


async def related(context: Context, id: str) -> Sequence[AlbumSummary]:
    """Albums that the site calls related."""
    return await context.services.catalog.related(id)


async def search(context: Context, query: SearchQuery) -> AlbumListPage:
    """A page of a search."""
    return await context.services.catalog.search(query)


async def ranking(context: Context, query: RankingQuery) -> RankingPage:
    """A page of a ranking."""
    return await context.services.catalog.ranking(query)


async def comments(context: Context, album_id: str, page: int) -> CommentPageRecord:
    """A page of an album's comments."""
    return await context.services.catalog.comments(album_id, page)


def site_url(context: Context, album_id: str) -> str:
    """The album's page on the site."""
    return context.services.catalog.album_url(album_id)
