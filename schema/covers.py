"""The cover of an album."""

from __future__ import annotations

import strawberry

from schema.enums import CoverSize
from schema.fields import Info


@strawberry.type(description="The cover of an album, served by this server.")
class Cover:
    """View of a cover; what is known of its picture is asked for only when a field wants it."""

    album_id: strawberry.Private[str]

    @strawberry.field(description="Absolute, on this server.")
    def url(self, info: Info, size: CoverSize = CoverSize.FULL) -> str:
        """Absolute address of the picture."""
        address = info.context.url("images", "covers", self.album_id)
        return address if size is CoverSize.FULL else f"{address}?size=thumbnail"

    @strawberry.field(description="Width of the full size in pixels; null until the cover has been fetched once.")
    async def width(self, info: Info) -> int | None:
        """Pixels, or None while unknown."""
        known = await info.context.loaders.cover_info_of.load(self.album_id)
        return known.width if known else None

    @strawberry.field(description="Height of the full size in pixels; null until the cover has been fetched once.")
    async def height(self, info: Info) -> int | None:
        """Pixels, or None while unknown."""
        known = await info.context.loaders.cover_info_of.load(self.album_id)
        return known.height if known else None

    @strawberry.field(
        description="ThumbHash, base64: a blurred stand-in with the right shape; null until fetched once."
    )
    async def placeholder(self, info: Info) -> str | None:
        """ThumbHash in base64, or None while unknown."""
        known = await info.context.loaders.cover_info_of.load(self.album_id)
        return known.placeholder if known else None
