"""The JM site: albums, rankings, search, comments, covers and pages."""

from services.catalog.catalog import Catalog, Freshness
from services.catalog.covers import THUMBNAIL_TYPES, Covers
from services.catalog.factory import CatalogServices, open_catalog
from services.catalog.image_cache import StoredImage
from services.catalog.pages import Pages
from services.catalog.policy import ContentPolicy
from services.catalog.site import Site
from services.catalog.tags import AlbumTags, EhTagIndex, TagIndex
from services.upstream import (
    AlbumDetail,
    AlbumListPage,
    AlbumOrder,
    AlbumSummary,
    Category,
    ChapterDetail,
    ChapterRef,
    CommentPageRecord,
    CommentRecord,
    HostRole,
    HostStatus,
    ImageInfo,
    NumberKind,
    Period,
    RankingLine,
    RankingPage,
    RankingQuery,
    SearchField,
    SearchQuery,
    SourceMethod,
    UpstreamStatus,
    number_of,
    parse_album_id,
    parse_album_ids,
    parse_number,
)

__all__ = [
    "THUMBNAIL_TYPES",
    "AlbumDetail",
    "AlbumListPage",
    "AlbumOrder",
    "AlbumSummary",
    "AlbumTags",
    "Catalog",
    "CatalogServices",
    "Category",
    "ChapterDetail",
    "ChapterRef",
    "CommentPageRecord",
    "CommentRecord",
    "ContentPolicy",
    "Covers",
    "EhTagIndex",
    "Freshness",
    "HostRole",
    "HostStatus",
    "ImageInfo",
    "NumberKind",
    "Pages",
    "Period",
    "RankingLine",
    "RankingPage",
    "RankingQuery",
    "SearchField",
    "SearchQuery",
    "Site",
    "SourceMethod",
    "StoredImage",
    "TagIndex",
    "UpstreamStatus",
    "number_of",
    "open_catalog",
    "parse_album_id",
    "parse_album_ids",
    "parse_number",
]
