"""The JM site: hosts, transport, retries, records. The only package that knows jmcomic."""

from importlib import import_module
from typing import TYPE_CHECKING

from services.upstream.ids import NumberKind, SiteNumber, number_of, parse_album_id, parse_album_ids, parse_number
from services.upstream.records import (
    PAGE_SIZE,
    AlbumDetail,
    AlbumListPage,
    AlbumOrder,
    AlbumSummary,
    Category,
    ChapterDetail,
    ChapterRef,
    CheckInRecord,
    CommentPageRecord,
    CommentRecord,
    FavoriteFolderRecord,
    FavoriteOrder,
    FavoritePageRecord,
    HostRole,
    HostStatus,
    ImageInfo,
    Period,
    RankingLine,
    RankingPage,
    RankingQuery,
    SearchField,
    SearchQuery,
    SiteLogin,
    SiteSession,
    SourceMethod,
    UpstreamStatus,
)

if TYPE_CHECKING:
    from services.upstream.account_client import SiteAccountClient
    from services.upstream.client import UpstreamClient, open_upstream
    from services.upstream.contract import SiteFinding, Verdict, oddities_of
    from services.upstream.host_lists import ListAddresses
    from services.upstream.http import AttemptObserver
    from services.upstream.site_check import check_site

# jmcomic takes a quarter of a second to import: it is imported when the client is opened
_LAZY = {
    "SiteAccountClient": "services.upstream.account_client",
    "ListAddresses": "services.upstream.host_lists",
    "AttemptObserver": "services.upstream.http",
    "UpstreamClient": "services.upstream.client",
    "open_upstream": "services.upstream.client",
    "SiteFinding": "services.upstream.contract",
    "Verdict": "services.upstream.contract",
    "check_site": "services.upstream.site_check",
    "oddities_of": "services.upstream.contract",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


__all__ = [
    "PAGE_SIZE",
    "AlbumDetail",
    "AlbumListPage",
    "AlbumOrder",
    "AlbumSummary",
    "AttemptObserver",
    "Category",
    "ChapterDetail",
    "ChapterRef",
    "CheckInRecord",
    "CommentPageRecord",
    "CommentRecord",
    "FavoriteFolderRecord",
    "FavoriteOrder",
    "FavoritePageRecord",
    "HostRole",
    "HostStatus",
    "ImageInfo",
    "ListAddresses",
    "NumberKind",
    "Period",
    "RankingLine",
    "RankingPage",
    "RankingQuery",
    "SearchField",
    "SearchQuery",
    "SiteAccountClient",
    "SiteFinding",
    "SiteLogin",
    "SiteNumber",
    "SiteSession",
    "SourceMethod",
    "UpstreamClient",
    "UpstreamStatus",
    "Verdict",
    "check_site",
    "number_of",
    "oddities_of",
    "open_upstream",
    "parse_album_id",
    "parse_album_ids",
    "parse_number",
]
