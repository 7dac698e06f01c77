"""The viewer's account of the site, its favourites and its check-ins."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated, Self, TypeVar

import strawberry

import resolvers.site_account
from schema.albums import Album, AlbumPage
from schema.enums import FavoriteOrder, SiteAccountState
from schema.errors import (
    AlbumNotFoundResult,
    BlockedByPolicyResult,
    InvalidCredentialsResult,
    RateLimitedResult,
    SiteLoginRequiredResult,
    UpstreamFailureResult,
)
from schema.fields import Info, field, input_type, object_type
from services.errors import SiteLoginRequired
from services.library import AddedAlbums
from services.people import FavoriteRecord, SiteAccountRecord
from services.upstream import CheckInRecord, FavoriteFolderRecord

T = TypeVar("T")


@input_type
class SiteLoginInput:
    """A name and a password of the site."""

    username: str = strawberry.field(description="The name there.")
    password: str = strawberry.field(description="Goes to the site and is forgotten, unless it is to be remembered.")
    remember: bool = strawberry.field(
        default=False, description="Keep the password, encrypted, to log in again when the site ends the session."
    )


@object_type
class FavoriteFolder:
    """A folder of favourites."""

    id: strawberry.ID = strawberry.field(description="Its number; 0 is all favourites.")
    name: str = strawberry.field(description="Its name, as the site has it.")

    @classmethod
    def of(cls, record: FavoriteFolderRecord) -> Self:
        """The view of a folder."""
        return cls(id=strawberry.ID(record.id), name=record.name)


@object_type
class SiteAccount:
    """The account of the site that the viewer has connected."""

    record: strawberry.Private[SiteAccountRecord]
    reads: strawberry.Private[list[asyncio.Future[None]]]

    @classmethod
    def of(cls, record: SiteAccountRecord) -> Self:
        """The view of a connected account."""
        return cls(record=record, reads=[])

    @field
    def username(self) -> str:
        """The name, as the site spells it."""
        return self.record.username

    @field
    async def state(self, info: Info) -> SiteAccountState:
        """Whether it can be used; what the fields beside this one find out is known here, too."""
        await asyncio.sleep(0)  # the fields beside this one have begun after it
        if not self.reads:
            return self.record.state
        await asyncio.wait(self.reads)
        record = await resolvers.site_account.site_account(info.context, self.record.user_id)
        return SiteAccountState.EXPIRED if record is None else record.state

    @field
    def connected_at(self) -> datetime:
        """When it was connected."""
        return self.record.connected_at

    @field
    async def folders(self, info: Info) -> list[FavoriteFolder] | None:
        """Folders of the favourites, the first with all of them; null when EXPIRED. One call to the site."""
        found = await self._none_if_expired(resolvers.site_account.folders(info.context, self.record.user_id))
        return None if found is None else [FavoriteFolder.of(record) for record in found]

    @field
    async def favorites(
        self,
        info: Info,
        folder_id: strawberry.ID = resolvers.site_account.ALL_FAVORITES_ID,
        order_by: FavoriteOrder = FavoriteOrder.ADDED,
        page: int = 1,
    ) -> AlbumPage | None:
        """Favourites of a folder, newest first, 20 a page; null when EXPIRED. One call to the site."""
        reading = resolvers.site_account.favorites(info.context, self.record.user_id, folder_id, order_by, page)
        found = await self._none_if_expired(reading)
        return None if found is None else AlbumPage.of(found)

    async def _none_if_expired(self, reading: Awaitable[T]) -> T | None:
        ended = asyncio.get_running_loop().create_future()
        self.reads.append(ended)
        try:
            return await reading
        except SiteLoginRequired:
            return None
        finally:
            ended.set_result(None)


@object_type
class SiteFavorite:
    """An album, and whether it is a favourite of the viewer at the site."""

    album: Album = strawberry.field(description="The album.")
    is_favorite: bool = strawberry.field(description="Whether it is a favourite now.")

    @classmethod
    def of(cls, record: FavoriteRecord) -> Self:
        """The view of a favourite that was set."""
        return cls(album=Album.of(record.album), is_favorite=record.is_favorite)


@object_type
class ImportedFavorites:
    """Favourites of the site that were added to the library."""

    added: int = strawberry.field(description="How many are new there.")
    already: int = strawberry.field(description="How many were there before.")

    @classmethod
    def of(cls, record: AddedAlbums) -> Self:
        """The view of what was added."""
        return cls(added=record.added, already=record.already)


@object_type
class SiteCheckIn:
    """A check-in at the site."""

    is_new: bool = strawberry.field(description="False when the viewer had checked in today before.")
    message: str = strawberry.field(description="What the site says to it; empty when its answer was lost.")

    @classmethod
    def of(cls, record: CheckInRecord) -> Self:
        """The view of a check-in."""
        return cls(is_new=record.is_new, message=record.message)


ConnectSiteAccountResult = Annotated[
    SiteAccount | InvalidCredentialsResult | RateLimitedResult | UpstreamFailureResult,
    strawberry.union("ConnectSiteAccountResult", description="The account, or why it was not connected."),
]
SetSiteFavoriteResult = Annotated[
    SiteFavorite | AlbumNotFoundResult | BlockedByPolicyResult | SiteLoginRequiredResult | UpstreamFailureResult,
    strawberry.union("SetSiteFavoriteResult", description="The favourite as it is now, or why nothing was changed."),
]
ImportSiteFavoritesResult = Annotated[
    ImportedFavorites | SiteLoginRequiredResult | UpstreamFailureResult,
    strawberry.union("ImportSiteFavoritesResult", description="What was added, or why nothing was."),
]
CheckInOnSiteResult = Annotated[
    SiteCheckIn | SiteLoginRequiredResult | UpstreamFailureResult,
    strawberry.union("CheckInOnSiteResult", description="What the site said, or why it said nothing."),
]
