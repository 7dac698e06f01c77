"""The JM site: albums, rankings, search, comments, covers and pages."""

from services.catalog.cache import Cache
from services.catalog.catalog import Catalog, Freshness
from services.catalog.ids import number_of, parse_album_id, parse_album_ids
from services.catalog.lexicon import Lexicon, TagLexicon
from services.catalog.policy import ContentPolicy
from services.catalog.records import (
    AlbumDetail,
    AlbumListPage,
    AlbumOrder,
    AlbumSummary,
    Category,
    ChapterDetail,
    ChapterRef,
    Comment,
    CommentPage,
    HostRole,
    ImageInfo,
    Period,
    RankingLine,
    RankingPage,
    RankingQuery,
    SearchField,
    SearchQuery,
    SourceMethod,
    UpstreamHost,
    UpstreamStatus,
)
from services.catalog.shared import SharedTier
from services.catalog.site import Site

__all__ = [
    "AlbumDetail",
    "AlbumListPage",
    "AlbumOrder",
    "AlbumSummary",
    "Cache",
    "Catalog",
    "Category",
    "ChapterDetail",
    "ChapterRef",
    "Comment",
    "CommentPage",
    "ContentPolicy",
    "Freshness",
    "HostRole",
    "ImageInfo",
    "Lexicon",
    "Period",
    "RankingLine",
    "RankingPage",
    "RankingQuery",
    "SearchField",
    "SearchQuery",
    "SharedTier",
    "Site",
    "SourceMethod",
    "TagLexicon",
    "UpstreamHost",
    "UpstreamStatus",
    "number_of",
    "parse_album_id",
    "parse_album_ids",
]
