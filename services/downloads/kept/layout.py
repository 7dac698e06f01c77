"""Where kept files lie: paths that reading servers scan, made of titles as file names are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import chain, count
from string import Formatter

from services.downloads.names import LONGEST_NAME_BYTES, file_stem, with_number
from services.upstream.records import AlbumDetail, ChapterRef

UNKNOWN_AUTHOR = "Unknown author"
_ENDING = re.compile(r"\.(cbz|pdf)$", re.IGNORECASE)
_NUMBER = re.compile(r"\[JM([1-9]\d*)\]")


class LibraryLayout:
    """Paths below the library by the template of the settings, as "{author}/{title} [JM{id}]"."""

    def __init__(self, template: str) -> None:
        self._parts = template.split("/")

    def folders(self, album: AlbumDetail) -> Iterator[str]:
        """Paths to try for an album, best first: "青石/山行 [JM350234]", without an ending."""
        values = {
            "author": next(filter(None, map(file_stem_or_none, album.authors)), UNKNOWN_AUTHOR),
            "title": file_stem(album.title, fallback=f"JM{album.id}"),
            "id": album.id,
        }
        *parents, last = (_part(part, values) for part in self._parts)
        last = _ENDING.sub(r"_\1", last)  # the folder of a series must not be named like the file of another album
        numbered = (with_number(f"{last} {number}", album.id) for number in count(2))
        for name in chain((last, with_number(last, album.id)), numbered):
            yield "/".join((*parents, name))


def file_stem_or_none(text: str) -> str | None:
    """As `file_stem`; None for a text of which nothing is left."""
    return file_stem(text, fallback="") or None


def paths_of_chapter(folder: str, chapter: ChapterRef, extension: str, *, is_single: bool) -> Iterator[str]:
    """Paths to try for a chapter: the folder's own name for the only one of its album, "folder/003 雨.cbz" else.

    The first is taken where the same chapter is kept in another format.
    """
    stem = folder if is_single else f"{folder}/{file_stem(f'{chapter.index:03d} {chapter.title}')}"
    yield f"{stem}.{extension}"
    for number in count(2):
        yield f"{stem} ({number}).{extension}"


def path_key(path: str) -> str:
    """Equal for paths that some file system takes for the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def number_in(path: str) -> str | None:
    """The album's number in a path, the last one: "350234" in "青石/山行 [JM350234]/001 雨.cbz"."""
    found = _NUMBER.findall(path)
    return found[-1] if found else None


def _part(part: str, values: dict[str, str]) -> str:
    """One name of a path, whose title, or author, is cut where the whole would be too long."""
    used = {field: values[field] for _, field, *_ in Formatter().parse(part) if field}
    while (overflow := len(part.format_map(used).encode()) - LONGEST_NAME_BYTES) > 0:
        longest = max(used, key=lambda field: len(used[field].encode()))
        longest_bytes = len(used[longest].encode())
        used[longest] = file_stem(used[longest], fallback="_", longest_bytes=max(1, longest_bytes - overflow))
        if longest_bytes <= overflow:
            break
    return file_stem(part.format_map(used), fallback=f"JM{values['id']}")
