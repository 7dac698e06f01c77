"""Staging: pages of unfinished downloads on disk, each complete or absent.

A page is written under a temporary name and renamed. Its name has all its properties:
"<download>/<variant>/<chapter>/00012.webp", or "00012.cut10.jpg" while it is still cut into 10 strips.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.errors import UpstreamFailure
from services.imaging import Codec, check_page, sniff

ORIGINAL_VARIANT = "original"
"""Pages as the site has them; the only ones fit to be shown for the page itself."""

_PAGE = re.compile(rf"(\d{{5,}})(?:\.cut(\d+))?\.({'|'.join(Codec)})")
_UNFINISHED = ".unfinished"


@dataclass(frozen=True, slots=True)
class StagedPage:
    """A page on disk; `strips` is what it is still cut into, 0 for a readable one."""

    path: Path
    codec: Codec
    strips: int
    size_bytes: int


class PageDirectory:
    """The pages of one download in one variant. Not for the event loop."""

    def __init__(self, folder: Path, variant: str) -> None:
        self.folder = folder / variant
        self._known: dict[str, dict[int, Path]] = {}

    def open(self) -> None:
        """Make the folder, list what an earlier attempt left there, and remove what is unfinished."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for chapter in self.folder.iterdir():
            for path in chapter.iterdir() if chapter.is_dir() else ():
                if path.name.endswith(_UNFINISHED):
                    path.unlink(missing_ok=True)
                elif match := _PAGE.fullmatch(path.name):
                    self._known.setdefault(chapter.name, {})[int(match[1])] = path

    def may_have(self, chapter_id: str, index: int) -> bool:
        """True when `find` may find it."""
        return index in self._known.get(chapter_id, ())

    def find(self, chapter_id: str, index: int) -> StagedPage | None:
        """The page, if it was there at `open` and is complete: a power cut may have emptied it."""
        path = self._known.get(chapter_id, {}).get(index)
        match = path and _PAGE.fullmatch(path.name)
        if not path or not match:
            return None
        try:
            data = path.read_bytes()
            check_page(data)
        except (OSError, UpstreamFailure):
            path.unlink(missing_ok=True)
            return None
        return StagedPage(path, Codec(match[3]), int(match[2] or 0), len(data))

    def write(self, chapter_id: str, index: int, data: bytes, codec: Codec, strips: int = 0) -> StagedPage:
        """Write a page."""
        cut = f".cut{strips}" if strips else ""
        path = self.folder / chapter_id / f"{index:05d}{cut}.{codec.value}"
        unfinished = path.with_name(path.name + _UNFINISHED)
        path.parent.mkdir(exist_ok=True)
        unfinished.write_bytes(data)
        unfinished.replace(path)
        return StagedPage(path, codec, strips, len(data))


def usual_size(pages: Sequence[StagedPage]) -> tuple[int, int]:
    """Width and height in pixels that most of these pages have; of equally many, those of the first."""
    kinds = (sniff(page.path.read_bytes()) for page in pages)
    sizes = Counter((kind.width, kind.height) for kind in kinds if kind)
    return sizes.most_common(1)[0][0]


class Staging:
    """The folder of all unfinished downloads."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, name: str) -> Path:
        """The folder of one download."""
        return self.root / name

    def page_path(self, chapter_id: str, index: int) -> Path | None:
        """Where a readable page (1-based) in the site's own format is now, in any download; None if nowhere.

        It may be removed before it is opened.
        """
        if not chapter_id.isdigit() or not self.root.is_dir():
            return None
        names = [f"{index:05d}.{codec.value}" for codec in Codec]
        chapters = (download / ORIGINAL_VARIANT / chapter_id for download in self.root.iterdir())
        paths = (chapter / name for chapter in chapters if chapter.is_dir() for name in names)
        return next((path for path in paths if path.is_file()), None)

    def remove(self, name: str) -> None:
        """Remove the folder of one download."""
        shutil.rmtree(self.folder(name), ignore_errors=True)
