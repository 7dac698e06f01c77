"""Lets scripted comics do what their script says."""

from __future__ import annotations

from collections import Counter
from threading import Lock

from starlette.types import ASGIApp

from demo.faults import failing, slowed
from demo.knobs import Knobs
from demo.records import Chapter, Comic, Fault, FaultKind

_FLAKY = Fault(FaultKind.SERVER_ERROR, status=503)


class Stage:
    """Turns the true answer about a comic into the one its script asks for."""

    def __init__(self, knobs: Knobs) -> None:
        self._knobs = knobs
        self._turns = knobs.turns
        self._asked: Counter[str] = Counter()
        self._lock = Lock()

    def album(self, comic: Comic, answer: ASGIApp) -> ASGIApp:
        """An answer about the album or a healthy chapter of it."""
        if comic.script is None:
            return answer
        return _played(comic.script.everywhere, comic.script.bytes_per_s, answer)

    def is_lost(self, comic: Comic, chapter: Chapter) -> bool:
        """Whether the site knows nothing of this chapter although the album lists it."""
        return comic.script is not None and chapter.id in comic.script.lost_chapters

    def image(self, comic: Comic, chapter: Chapter, number: int, answer: ASGIApp) -> ASGIApp:
        """An answer with the bytes of a page."""
        script = comic.script
        if script is None:
            return answer
        if self._times_asked(f"{chapter.id}/{number}") <= script.images_fail_first:
            return failing(_FLAKY, answer)
        fault = script.pages.get(number) or script.images or script.everywhere
        return _played(fault, script.bytes_per_s, answer)

    def cover(self, comic: Comic, answer: ASGIApp) -> ASGIApp:
        """An answer with the cover: it fails where all images of the comic do."""
        script = comic.script
        if script is None:
            return answer
        return _played(script.images or script.everywhere, script.bytes_per_s, answer)

    def _times_asked(self, name: str) -> int:
        with self._lock:
            if self._turns != self._knobs.turns:
                self._asked.clear()
                self._turns = self._knobs.turns
            self._asked[name] += 1
            return self._asked[name]


def _played(fault: Fault | None, bytes_per_s: int | None, answer: ASGIApp) -> ASGIApp:
    if fault is not None:
        return failing(fault, answer)
    return answer if bytes_per_s is None else slowed(answer, bytes_per_s, None)
