"""What the catalog needs of the site: implemented by the upstream client, and by a fake in tests."""

from __future__ import annotations

from typing import Protocol

from services.upstream.records import (
    AlbumDetail,
    AlbumListPage,
    ChapterDetail,
    CommentPageRecord,
    RankingPage,
    RankingQuery,
    SearchQuery,
    UpstreamStatus,
)


class Site(Protocol):
    """Records in, records out; None where the site has nothing. Every call raises `UpstreamFailure` when it fails."""

    async def album(self, id: str) -> AlbumDetail | None:
        """The album of this number; a chapter's number leads to its album."""

    async def album_by_api(self, id: str) -> AlbumDetail | None:
        """The album of this number as the API shows it, whose list of chapters is whole."""

    async def chapter(self, id: str) -> ChapterDetail | None:
        """The chapter of this number, with the names of its pages."""

    async def search(self, q: SearchQuery) -> AlbumListPage:
        """One page of a search, without what `exclude` names as far as the site respects it."""

    async def ranking(self, q: RankingQuery) -> RankingPage:
        """One page of a ranking."""

    async def comments(self, album_id: str, page: int) -> CommentPageRecord:
        """One page of an album's comments."""

    async def cover(self, album_id: str) -> bytes | None:
        """The cover as the CDN sends it."""

    async def page(self, chapter: ChapterDetail, index: int, *, bypass_cache: bool = False) -> bytes:
        """The page as the CDN sends it, perhaps scrambled; `index` is 1-based.

        With `bypass_cache` not what a cache of the CDN has of it.
        """

    async def status(self) -> UpstreamStatus:
        """What is known of the site, without a request to it."""
