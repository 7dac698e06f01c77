"""The JM site: albums, rankings, search, comments, covers and pages."""

from importlib import import_module
from typing import TYPE_CHECKING

from services.catalog.cache import Cache
from services.catalog.catalog import Catalog, Freshness
from services.catalog.covers import THUMBNAIL_TYPES, Covers
from services.catalog.ids import number_of, parse_album_id, parse_album_ids
from services.catalog.lexicon import Lexicon, TagLexicon
from services.catalog.opening import OpenCatalog, open_catalog
from services.catalog.pages import Pages
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
from services.catalog.stored import StoredImage

if TYPE_CHECKING:
    from services.catalog.calls import TryWatcher
    from services.catalog.gateway import Gateway
    from services.catalog.gateway_wiring import open_gateway
    from services.catalog.host_lists import ListAddresses

# jmcomic takes a quarter of a second to import: only those who open the gateway wait for it
_LATE = {
    "Gateway": "services.catalog.gateway",
    "ListAddresses": "services.catalog.host_lists",
    "TryWatcher": "services.catalog.calls",
    "open_gateway": "services.catalog.gateway_wiring",
}


def __getattr__(name: str) -> object:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATE[name]), name)


__all__ = [
    "THUMBNAIL_TYPES",
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
    "Covers",
    "Freshness",
    "Gateway",
    "HostRole",
    "ImageInfo",
    "Lexicon",
    "ListAddresses",
    "OpenCatalog",
    "Pages",
    "Period",
    "RankingLine",
    "RankingPage",
    "RankingQuery",
    "SearchField",
    "SearchQuery",
    "SharedTier",
    "Site",
    "SourceMethod",
    "StoredImage",
    "TagLexicon",
    "TryWatcher",
    "UpstreamHost",
    "UpstreamStatus",
    "number_of",
    "open_catalog",
    "open_gateway",
    "parse_album_id",
    "parse_album_ids",
]
