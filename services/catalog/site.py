"""What the catalog needs of the site, and of kept files for while the site can't be read: implemented elsewhere."""

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


class KeptPages(Protocol):
    """What is on this server of albums whose files are kept; None for what it has not."""

    async def album(self, id: str, /) -> AlbumDetail | None:
        """The album of this number, or of the chapter of this number, as it was when it was kept last."""

    async def chapter(self, id: str, /) -> ChapterDetail | None:
        """The chapter of this number, all of whose pages are kept."""

    async def page(self, chapter_id: str, index: int, /, *, any_format: bool = False) -> bytes | None:
        """A readable page (1-based) as the site has it; with `any_format` also one that was encoded again."""


class NothingKept:
    """A server without kept files."""

    async def album(self, _id: str) -> AlbumDetail | None:
        """None."""
        return None

    async def chapter(self, _id: str) -> ChapterDetail | None:
        """None."""
        return None

    async def page(self, _chapter_id: str, _index: int, *, any_format: bool = False) -> bytes | None:  # noqa: ARG002
        """None."""
        return None
