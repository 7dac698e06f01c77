from typing import Optional

from pydantic import Field

from .base_model import BaseModel
from .fragments import AlbumCard


class Library(BaseModel):
    viewer: Optional["LibraryViewer"]


class LibraryViewer(BaseModel):
    library: "LibraryViewerLibrary"


class LibraryViewerLibrary(BaseModel):
    nodes: list["LibraryViewerLibraryNodes"]
    page_info: "LibraryViewerLibraryPageInfo" = Field(alias="pageInfo")
    total_count: int = Field(alias="totalCount")


class LibraryViewerLibraryNodes(BaseModel):
    album: "LibraryViewerLibraryNodesAlbum"
    unread_count: int = Field(alias="unreadCount")


LibraryViewerLibraryNodesAlbum = AlbumCard


class LibraryViewerLibraryPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


Library.model_rebuild()
LibraryViewer.model_rebuild()
LibraryViewerLibrary.model_rebuild()
LibraryViewerLibraryNodes.model_rebuild()
