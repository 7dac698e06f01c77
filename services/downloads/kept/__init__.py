"""Files that stay: their layout, the index of them in the database, and what can be read of them offline."""

from services.downloads.kept.index import KeptFile, KeptFiles, NewFile
from services.downloads.kept.layout import LibraryLayout
from services.downloads.kept.reader import KeptReader, copy_pages

__all__ = [
    "KeptFile",
    "KeptFiles",
    "KeptReader",
    "LibraryLayout",
    "NewFile",
    "copy_pages",
]
