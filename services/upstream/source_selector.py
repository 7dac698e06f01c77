"""Which of the two ways to read the site comes first: chosen per call, remembered, looked at again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from services.upstream.records import SourceMethod

FIRST_OUT_S = 60.0
"""The web pages are left alone for so long after they kept this address out; doubles each time."""

LONGEST_OUT_S = 900.0

_HTML, _API = SourceMethod.HTML, SourceMethod.API


class SourceSelector:
    """`auto` prefers the web pages while they let this address in; `html` and `api` leave no choice."""

    def __init__(self, setting: Literal["auto", "html", "api"], clock: Callable[[], float] = time.monotonic) -> None:
        self._setting = setting
        self._clock = clock
        self._out_until = 0.0
        self._times_out = 0

    @property
    def current(self) -> SourceMethod:
        """The method that is asked first now."""
        return self.order()[0]

    @property
    def is_auto(self) -> bool:
        """Whether there is a choice at all."""
        return self._setting == "auto"

    def order(self) -> tuple[SourceMethod, ...]:
        """Methods to ask, best first. The web pages come last while they are out, not never."""
        if not self.is_auto:
            return (_HTML,) if self._setting == "html" else (_API,)
        return (_API, _HTML) if self._times_out else (_HTML, _API)

    @property
    def is_due(self) -> bool:
        """True when the web pages are out and it is time to look whether they still are."""
        return self._times_out > 0 and self._clock() >= self._out_until

    def note_let_in(self) -> None:
        """The web pages answered."""
        self._times_out = 0

    def note_kept_out(self) -> None:
        """The web pages failed where the API did not, or failed when looked at again."""
        self._out_until = self._clock() + min(FIRST_OUT_S * 2 ** min(self._times_out, 8), LONGEST_OUT_S)
        self._times_out += 1
