"""The library: albums that people keep an eye on, and what is stored of them and of those that they read."""

from services.library.albums import (
    StoredChapter,
    find_album,
    find_chapter,
    in_parts,
    lock_user,
    ref_of,
    remove_unused_albums,
    store_album,
    summary_of,
)
from services.library.checker import LibraryChecker
from services.library.library import Library, LibraryQuery
from services.library.records import AddedAlbums, LibraryOrder, LibraryPage, LibraryRecord, UnreadChapters

__all__ = [
    "AddedAlbums",
    "Library",
    "LibraryChecker",
    "LibraryOrder",
    "LibraryPage",
    "LibraryQuery",
    "LibraryRecord",
    "StoredChapter",
    "UnreadChapters",
    "find_album",
    "find_chapter",
    "in_parts",
    "lock_user",
    "ref_of",
    "remove_unused_albums",
    "store_album",
    "summary_of",
]
