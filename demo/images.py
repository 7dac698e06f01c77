"""Images of the image host: drawn, scrambled and encoded once, then kept in a folder."""

from __future__ import annotations

import os
import sys
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO
from pathlib import Path
from threading import Lock, get_ident, get_native_id
from typing import Any

from PIL import Image, features

from demo.drawing import COVER_3X4_SIZE, COVER_SIZE, cover_image, gif_frames, page_image
from demo.records import Chapter, Page, PageKind
from demo.scramble import scrambled, strips

EDITION = 2
"""Raised when pictures or their encoding change, so that files of an older edition are not used."""

_MEMORY_BYTES = 48 * 1024 * 1024

_NICENESS = 10

_ENCODING: dict[PageKind, dict[str, Any]] = {
    PageKind.WEBP: {"format": "WEBP", "quality": 80, "method": 2},
    PageKind.LOSSLESS: {"format": "WEBP", "lossless": True, "quality": 20, "method": 0},
    PageKind.JPG: {"format": "JPEG", "quality": 85},
    PageKind.PNG: {"format": "PNG", "compress_level": 3},
    PageKind.AVIF: {"format": "AVIF", "quality": 80, "speed": 8, "max_threads": 1},
}


class ImageStore:
    """Pages and covers as the image host sends them. Thread-safe; processes may share a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / f"edition-{EDITION}"
        self._recent: OrderedDict[str, bytes] = OrderedDict()
        self._recent_bytes = 0
        self._lock = Lock()
        self._drawing = ThreadPoolExecutor(os.cpu_count(), "drawing", initializer=_lower_priority)

    def page(self, chapter: Chapter, number: int) -> bytes:
        """A page of a chapter (1-based), scrambled where the site would."""
        page = chapter.pages[number - 1]
        return self._get_or_make(f"{chapter.id}/{page.name}", lambda: _encoded_page(chapter, page, number))

    def cover(self, album_id: int, small: bool = False) -> bytes:
        """The cover of a comic as JPEG; `small` is the one of the lists (3:4)."""
        size = COVER_3X4_SIZE if small else COVER_SIZE
        name = f"covers/{album_id}{'_3x4' if small else ''}.jpg"
        return self._get_or_make(name, lambda: _encoded(cover_image(album_id, size), PageKind.JPG))

    def warm(self, chapter: Chapter) -> None:
        """Make all pages of a chapter, on all cores."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for _ in pool.map(partial(self.page, chapter), range(1, len(chapter.pages) + 1)):
                continue

    def _get_or_make(self, name: str, make: Callable[[], bytes]) -> bytes:
        data = self._get_recent(name)
        if data is None:
            data = self._read_or_write(name, make)
            self._add_recent(name, data)
        return data

    def _read_or_write(self, name: str, make: Callable[[], bytes]) -> bytes:
        path = self.folder / name
        if path.is_file():
            return path.read_bytes()
        data = self._drawing.submit(make).result()
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}.{os.getpid()}-{get_ident()}")
        unfinished.write_bytes(data)
        unfinished.replace(path)
        return data

    def _get_recent(self, name: str) -> bytes | None:
        with self._lock:
            data = self._recent.get(name)
            if data is not None:
                self._recent.move_to_end(name)
            return data

    def _add_recent(self, name: str, data: bytes) -> None:
        with self._lock:
            self._recent_bytes += len(data) - len(self._recent.pop(name, b""))
            self._recent[name] = data
            while self._recent_bytes > _MEMORY_BYTES:
                self._recent_bytes -= len(self._recent.popitem(last=False)[1])


def _lower_priority() -> None:
    """Leave the cores to the server under test: a real site is on another machine. On Linux for this thread alone."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, get_native_id(), _NICENESS)


def _encoded_page(chapter: Chapter, page: Page, number: int) -> bytes:
    if page.kind is PageKind.GIF:
        return _encoded_gif(gif_frames(chapter.id, number))
    # the site decides by the name, whatever is in the file
    is_whole = page.name.endswith(".gif")
    count = 0 if is_whole else strips(chapter.scramble_id, chapter.id, page.stem)
    return _encoded(scrambled(page_image(chapter.id, number), count), page.kind)


def _encoded(image: Image.Image, kind: PageKind) -> bytes:
    if kind is PageKind.AVIF and not features.check("avif"):
        raise RuntimeError("Pillow was built without AVIF")
    buffer = BytesIO()
    image.save(buffer, **_ENCODING[kind])
    return buffer.getvalue()


def _encoded_gif(frames: list[Image.Image]) -> bytes:
    palette = frames[0].quantize(64)
    buffer = BytesIO()
    first, *rest = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    first.save(buffer, format="GIF", save_all=True, append_images=rest, duration=120, loop=0)
    return buffer.getvalue()
