"""What can be asked: a table of contents."""

from __future__ import annotations

from typing import cast

import strawberry

from resolvers import albums, chapters, downloads, server, tags
from schema.albums import Album, AlbumPage, Ranking
from schema.chapters import Chapter
from schema.downloads import Download, DownloadConnection
from schema.enums import AlbumOrder, Category, DownloadState, Namespace, Period, SearchField, TagKind
from schema.fields import Info, given
from schema.server import ServerInfo, UpstreamInfo
from schema.tags import AlbumTag, EhTagDatabase, Tag, TagConnection, TagFilter
from services.catalog import AlbumDetail, RankingQuery, SearchQuery
from services.errors import JmgraphError


@strawberry.type(description="What can be asked.")
class Query:
    """What can be asked."""

    @strawberry.field(
        description="One album. Takes '350234', 'JM350234' or an album URL. Null when the site has no such album."
    )
    async def album(self, info: Info, id: str) -> Album | None:
        """One album."""
        record = await albums.find(info.context, id)
        return Album.of(record) if record else None

    @strawberry.field(description="Many albums at once, in the order asked; null where there is none. At most 100.")
    async def albums(self, info: Info, ids: list[str]) -> list[Album | None]:
        """Many albums at once."""
        return [_album_or_error(record) for record in await albums.find_many(info.context, ids)]

    @strawberry.field(
        description="One chapter by its JM number, with its place in its album. Null when there is no such chapter."
    )
    async def chapter(self, info: Info, id: strawberry.ID) -> Chapter | None:
        """One chapter."""
        record = await chapters.find(info.context, id)
        return Chapter(record=record) if record else None

    @strawberry.field(description="Site search. A query that is an album number gives that one album.")
    async def search(
        self,
        info: Info,
        query: str,
        page: int = 1,
        order_by: AlbumOrder = AlbumOrder.LATEST,
        period: Period = Period.ALL,
        field: SearchField = SearchField.SITE,
        exclude: list[str] = [],  # noqa: B006 (the schema's default, never changed)
    ) -> AlbumPage:
        """Site search."""
        asked = SearchQuery(query, page, order_by, period, field, tuple(exclude))
        return AlbumPage.of(await albums.search(info.context, asked))

    @strawberry.field(description="Most viewed (or liked) albums of a period.")
    async def ranking(
        self,
        info: Info,
        period: Period = Period.ALL,
        page: int = 1,
        order_by: AlbumOrder = AlbumOrder.VIEWS,
        category: Category = Category.ALL,
    ) -> Ranking:
        """A ranking."""
        return Ranking.of(await albums.ranking(info.context, RankingQuery(period, page, order_by, category)))

    @strawberry.field(description="One record of the EhTag database.")
    def tag(self, info: Info, namespace: Namespace, raw: str) -> Tag | None:
        """One record of the EhTag database."""
        record = tags.find(info.context, namespace, raw)
        return Tag.of(record) if record else None

    @strawberry.field(description="Browse or search EhTag records (matches raw and translated names).")
    def tags(
        self,
        info: Info,
        filter: TagFilter | None = strawberry.UNSET,
        first: int = 20,
        after: str | None = strawberry.UNSET,
    ) -> TagConnection:
        """Browse or search EhTag records."""
        wanted = given(filter) or TagFilter()
        return TagConnection.of(
            tags.page(info.context, given(wanted.namespaces), given(wanted.query), first, given(after))
        )

    @strawberry.field(description="Resolve free-text JM tags to EhTag records, in the order given. At most 500.")
    def translate_tags(self, info: Info, names: list[str], kind: TagKind = TagKind.GENRE) -> list[AlbumTag]:
        """Resolve tags of the site."""
        return [AlbumTag.of(joined) for joined in tags.translate_asked(info.context, names, kind)]

    @strawberry.field(description="State of the EhTag database that answers are drawn from.")
    def ehtag(self, info: Info) -> EhTagDatabase:
        """State of the EhTag database."""
        return EhTagDatabase(state=tags.database(info.context))

    @strawberry.field(description="One download; null when there is none of this id.")
    async def download(self, info: Info, id: strawberry.ID) -> Download | None:
        """One download."""
        record = await downloads.find(info.context, id)
        return Download(record=record) if record else None

    @strawberry.field(description="Newest first.")
    async def downloads(
        self,
        info: Info,
        states: list[DownloadState] | None = strawberry.UNSET,
        first: int = 20,
        after: str | None = strawberry.UNSET,
    ) -> DownloadConnection:
        """Downloads, newest first."""
        return DownloadConnection.of(await downloads.page(info.context, given(states), first, given(after)))

    @strawberry.field(description="Version, upstream method and health of this server.")
    async def server(self, info: Info) -> ServerInfo:
        """This server."""
        state = await server.state(info.context)
        return ServerInfo(
            version=state.version,
            upstream=UpstreamInfo.of(state.upstream),
            queue_depth=state.counts.queued,
            active_downloads=state.counts.active,
            workers=state.counts.workers,
        )


def _album_or_error(record: AlbumDetail | JmgraphError | None) -> Album | None:
    """The view; an error stays what it is, and GraphQL reports it at this very place of the list."""
    if record is None or isinstance(record, JmgraphError):
        return cast("Album | None", record)
    return Album.of(record)
