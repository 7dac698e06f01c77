"""Progress of readers that stream pages and report nothing themselves: OPDS apps."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from services.catalog import Catalog
from services.errors import JmgraphError
from services.people.reading import Reading
from services.tasks import cancel_and_wait

log = structlog.get_logger("jmgraph.people")

EVERY_S = 2.0
"""The progress of a chapter is written at most once in this time."""
DEVICE = "OPDS"


@dataclass(slots=True)
class _Streamed:
    """Pages of a chapter that a person streams: the last one asked for, and the last one written."""

    page: int
    written: int
    task: asyncio.Task[None] | None = None


class StreamedReading:
    """Moves people's progress to the pages that they stream, forward only."""

    def __init__(self, reading: Reading, catalog: Catalog, every_s: float = EVERY_S) -> None:
        self._reading = reading
        self._catalog = catalog
        self._every_s = every_s
        self._streamed: dict[tuple[str, str], _Streamed] = {}

    def note(self, user_id: str, chapter_id: str, page: int) -> None:
        """A person was sent a page, 1-based. Returns at once; what fails is only logged."""
        key = (user_id, chapter_id)
        streamed = self._streamed.setdefault(key, _Streamed(page, 0))
        streamed.page = max(streamed.page, page)
        if streamed.task is None:
            streamed.task = asyncio.create_task(self._write_while_read(key, streamed))

    async def aclose(self) -> None:
        """Write what was not written yet."""
        for key, streamed in list(self._streamed.items()):
            if streamed.task is not None:
                await cancel_and_wait(streamed.task)
            await self._write(key, streamed)
        self._streamed.clear()

    async def _write_while_read(self, key: tuple[str, str], streamed: _Streamed) -> None:
        """Write now and, as long as further pages come, after every pause."""
        try:
            while streamed.page > streamed.written:
                await self._write(key, streamed)
                await asyncio.sleep(self._every_s)
        finally:
            streamed.task = None
        self._streamed.pop(key, None)

    async def _write(self, key: tuple[str, str], streamed: _Streamed) -> None:
        page = streamed.page
        if page <= streamed.written:
            return
        user_id, chapter_id = key
        try:
            await self._advance(user_id, chapter_id, page)
        except JmgraphError as error:
            log.debug("a streamed page was not noted", error=error.error_code)
        streamed.written = page

    async def _advance(self, user_id: str, chapter_id: str, page: int) -> None:
        known = (await self._reading.of_chapters(user_id, [chapter_id])).get(chapter_id)
        if known is not None and (known.is_finished or known.page >= page):
            return
        chapter = await self._catalog.get_chapter(chapter_id)
        await self._reading.report(user_id, chapter.album_id, chapter_id, page, device=DEVICE)
