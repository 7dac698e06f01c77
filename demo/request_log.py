"""The requests the demo site received: a bounded log that tests count in and wait on."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from threading import Condition
from typing import Any

_KEPT = 200_000
"""Requests kept; the oldest are dropped."""


@dataclass(slots=True)
class LoggedRequest:
    """A request. `at_s` counts from the start of the site; `status` is None until the response has begun.

    `session` is the cookie AVS: the session of the person that it came from, or what a guest was given.
    """

    number: int
    at_s: float
    host: str
    role: str
    method: str
    path: str
    query: str
    session: str = ""
    status: int | None = None


class RequestLog:
    """The log of requests. Thread-safe; iterating gives a copy."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._seen: deque[LoggedRequest] = deque(maxlen=_KEPT)
        self._open: dict[str, int] = {}
        self._peaks: dict[str, int] = {}
        self._number = 0
        self._changed = Condition()

    def __iter__(self) -> Iterator[LoggedRequest]:
        with self._changed:
            return iter(tuple(self._seen))

    def __len__(self) -> int:
        with self._changed:
            return len(self._seen)

    @contextmanager
    def logged(
        self, host: str, role: str, method: str, path: str, query: str, session: str = ""
    ) -> Iterator[LoggedRequest]:
        """Log a request; it counts as open until the block ends."""
        seen = self._begin(host, role, method, path, query, session)
        try:
            yield seen
        finally:
            with self._changed:
                self._open[role] = max(0, self._open.get(role, 0) - 1)
                self._changed.notify_all()

    def find(self, path: str = "", role: str | None = None, host: str | None = None) -> list[LoggedRequest]:
        """Requests whose path and query contain `path`, of a role or host, oldest first."""
        with self._changed:
            return self._found(path, role, host)

    def count(self, path: str = "", role: str | None = None, host: str | None = None) -> int:
        """Number of requests that `find` returns."""
        return len(self.find(path, role, host))

    def peak(self, role: str) -> int:
        """Most requests of a role that were open at the same time."""
        with self._changed:
            return self._peaks.get(role, 0)

    def wait_for(self, count: int, path: str = "", role: str | None = None, timeout_s: float = 10.0) -> None:
        """Block the calling thread until this many matching requests were received. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._found(path, role, None)) >= count, timeout_s):
                raise TimeoutError(f"{len(self._found(path, role, None))} of {count} requests for {path!r} came")

    def wait_idle(self, role: str, timeout_s: float = 10.0) -> None:
        """Block the calling thread until no request of a role is open. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._open.get(role), timeout_s):
                raise TimeoutError(f"{self._open[role]} requests for {role} are still open")

    def reset(self) -> None:
        """Clear all requests and peaks; those still open stay open."""
        with self._changed:
            self._seen.clear()
            self._peaks = dict(self._open)

    def as_json(self, path: str = "", role: str | None = None, host: str | None = None) -> list[dict[str, Any]]:
        """What `find` returns, as the admin route shows it."""
        return [asdict(seen) for seen in self.find(path, role, host)]

    def _begin(self, host: str, role: str, method: str, path: str, query: str, session: str) -> LoggedRequest:
        with self._changed:
            self._number += 1
            seen = LoggedRequest(
                self._number, time.monotonic() - self._began, host, role, method, path, query, session
            )
            self._seen.append(seen)
            self._open[role] = self._open.get(role, 0) + 1
            self._peaks[role] = max(self._peaks.get(role, 0), self._open[role])
            self._changed.notify_all()
            return seen

    def _found(self, path: str, role: str | None, host: str | None) -> list[LoggedRequest]:
        return [
            seen
            for seen in self._seen
            if path in f"{seen.path}?{seen.query}" and role in (None, seen.role) and host in (None, seen.host)
        ]
