"""Addresses of the catalogue: all absolute, since many readers resolve relative ones badly, and none redirects."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from rest.opds.feeds import FIRST_PAGE, Feed, File


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses of one version; `base_url` is the server's, `root` that version's path: "/opds" or "/opds/v2"."""

    base_url: str
    root: str

    def feed(self, path: str = "", parameters: dict[str, str] | None = None, page: int = FIRST_PAGE) -> str:
        """A page of the feed at this path below the root."""
        query = {**(parameters or {}), **({"page": str(page)} if page > FIRST_PAGE else {})}
        return f"{self.base_url}{self.root}{path}" + (f"?{urlencode(query)}" if query else "")

    def page_of(self, feed: Feed, page: int) -> str:
        """Another page of this feed."""
        return self.feed(feed.path, feed.parameters, page)

    def publication(self, chapter_id: str) -> str:
        """A chapter with its pages, in version 2."""
        return self.feed(f"/publications/{chapter_id}")

    def manifest(self, chapter_id: str) -> str:
        """The same as a manifest of Readium."""
        return f"{self.publication(chapter_id)}/manifest.json"

    def cover(self, album_id: str, *, is_thumbnail: bool = False) -> str:
        """The cover as JPEG."""
        return f"{self.base_url}/opds/covers/{album_id}" + ("?size=thumbnail" if is_thumbnail else "")

    def page(self, chapter_id: str, number: str) -> str:
        """A page as JPEG; `number` is from 0, or a variable of a template."""
        return f"{self.base_url}/opds/pages/{chapter_id}/{number}"

    def file(self, file: File) -> str:
        """A file to download."""
        return "/".join([self.base_url, *(quote(segment, safe="") for segment in file.segments)])
