"""Albums, chapters, lists of albums and comments."""

from __future__ import annotations

from collections.abc import Sequence

from resolvers.context import ID, Context
from services.catalog import (
    AlbumDetail,
    AlbumListPage,
    AlbumOrder,
    AlbumSummary,
    Category,
    ChapterDetail,
    ChapterRef,
    CommentPageRecord,
    Period,
    RankingPage,
    RankingQuery,
    SearchField,
    SearchQuery,
    parse_album_id,
    parse_album_ids,
)
from services.ehtag import TagKind, Translation
from services.errors import AlbumNotFound, ChapterNotFound, JmgraphError


async def album(context: Context, id: str) -> AlbumDetail | None:
    """One album. Takes '350234', 'JM350234' or an album URL. Null when the site has no such album."""
    return await context.catalog.find_album(parse_album_id(id))


async def albums(context: Context, ids: list[str]) -> Sequence[AlbumDetail | JmgraphError | None]:
    """Many albums at once, in the order asked; null where there is none. At most 100.

    An album that could not be read is its error, at its place.
    """
    return await context.catalog.find_albums(parse_album_ids(ids))


async def chapter(context: Context, id: ID) -> ChapterRef | None:
    """One chapter by its JM number, with its place in its album. Null when there is no such chapter."""
    catalog = context.catalog
    detail = await catalog.find_chapter(parse_album_id(id))
    if detail is None or (album := await catalog.find_album(detail.album_id)) is None:
        return None
    return next((ref for ref in album.chapters if ref.id == detail.id), None)


async def search(
    context: Context,
    query: str,
    page: int = 1,
    order_by: AlbumOrder = AlbumOrder.LATEST,
    period: Period = Period.ALL,
    field: SearchField = SearchField.SITE,
    exclude: Sequence[str] = (),
    category: Category = Category.ALL,
) -> AlbumListPage:
    """Site search. A query that is an album number gives that one album. A page in one `category` may have fewer
    albums than the site counts, where only its mobile API answers.
    """
    return await context.catalog.search(SearchQuery(query, page, order_by, period, field, tuple(exclude), category))


async def ranking(
    context: Context,
    period: Period = Period.ALL,
    page: int = 1,
    order_by: AlbumOrder = AlbumOrder.VIEWS,
    category: Category = Category.ALL,
) -> RankingPage:
    """Most viewed (or liked) albums of a period."""
    return await context.catalog.ranking(RankingQuery(period, page, order_by, category))


def cached_detail(context: Context, id: str) -> AlbumDetail | None:
    """The detail of a listed album, without a call, when this process has it in its cache; else None."""
    return context.catalog.peek_album(id)


async def album_detail(context: Context, id: str) -> AlbumDetail:
    """The detail of a listed album; raises `AlbumNotFound` when the site no longer has it."""
    if (detail := await context.loaders.detail_of.load(id)) is None:
        raise AlbumNotFound(id)
    return detail


async def chapter_detail(context: Context, id: str, album_id: str | None) -> ChapterDetail:
    """A chapter with its pages, listed by this album; raises `ChapterNotFound` when the site no longer has it."""
    if (detail := await context.loaders.chapter_of.load((id, album_id))) is None:
        raise ChapterNotFound(id)
    return detail


def tags(context: Context, names: Sequence[str], kind: TagKind, works: Sequence[str] = ()) -> Sequence[Translation]:
    """Tags of an album, each with its record of the tag database where there is one, in the order given.

    `works` are the album's own, which tell characters of one name apart.
    """
    return context.services.tags.state.translator.translate_many(names, kind, works)


async def related(context: Context, album_id: str) -> Sequence[AlbumSummary]:
    """Albums that the site calls related."""
    return await context.catalog.related(album_id)


async def comments(context: Context, album_id: str, page: int) -> CommentPageRecord:
    """A page of an album's comments, newest first."""
    return await context.catalog.comments(album_id, page)


def site_url(context: Context, album_id: str) -> str:
    """URL of the album's page on the site."""
    return context.catalog.album_url(album_id)
