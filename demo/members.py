"""The people of the demo site: their passwords, sessions, favourites in folders and daily check-ins.

They are as they were after `reset`; README.md lists them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import md5
from threading import Lock
from typing import Any

from demo.library import library
from demo.records import Comic
from demo.scripted import BLOCKED_TAG_ALBUMS

READER = "reader"
TRAVELLER = "traveller"
SHORT_SESSIONS = "sleeper"
LOCKED = "locked"

PASSWORDS: Mapping[str, str] = {
    READER: "correct-horse",
    TRAVELLER: "window-seat",
    SHORT_SESSIONS: "correct-horse",
    LOCKED: "correct-horse",
}

CALLS_OF_SHORT_SESSIONS = 3
"""Every session of `SHORT_SESSIONS` has run out after so many calls."""

MAX_FAVORITES = 400
"""One more is refused, as on the real site."""

_FIRST_USER_ID = 5001
_READERS_FAVORITES = 44
_NO_FAVORITES = (1208626, 333908)
_FOLDERS: Mapping[str, Mapping[str, str]] = {READER: {"7001": "旅行", "7002": "機器"}, TRAVELLER: {"7003": "火車"}}


@dataclass(slots=True)
class Member:
    """A person. `favorites` are album numbers with the folder each is in ("0" for none), the newest last."""

    name: str
    user_id: str
    folders: Mapping[str, str]
    favorites: dict[int, str] = field(default_factory=dict)
    has_checked_in: bool = False


@dataclass(slots=True)
class _Session:
    member: Member
    calls_left: int | None


class Members:
    """All of them. Thread-safe: tests read and change them while the site runs."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._logins = 0
        self.reset()

    def reset(self) -> None:
        """Favourites and check-ins are as at the start, and every session has ended."""
        with self._lock:
            self._members = {name: _member(name, index) for index, name in enumerate(PASSWORDS)}
            self._sessions: dict[str, _Session] = {}

    def log_in(self, name: str, password: str) -> tuple[Member, str] | None:
        """The person and a new session; None for a wrong name or password. The other sessions go on."""
        if PASSWORDS.get(name) != password:
            return None
        with self._lock:
            self._logins += 1
            session = md5(f"session {self._logins} of {name}".encode(), usedforsecurity=False).hexdigest()[:26]
            calls_left = CALLS_OF_SHORT_SESSIONS if name == SHORT_SESSIONS else None
            self._sessions[session] = _Session(self._members[name], calls_left)
            return self._members[name], session

    def find(self, session: str | None) -> Member | None:
        """Whose session it is; None for one that has run out. Uses up one of its calls."""
        with self._lock:
            found = self._sessions.get(session or "")
            if found is None or found.calls_left == 0:
                return None
            if found.calls_left is not None:
                found.calls_left -= 1
            return found.member

    def name_of(self, session: str) -> str:
        """The name of the person whose session it is or was; "" where it is nobody's."""
        with self._lock:
            found = self._sessions.get(session)
            return found.member.name if found else ""

    def end_sessions(self, name: str) -> None:
        """Let every session of a person run out."""
        with self._lock:
            for session in self._sessions.values():
                if session.member.name == name:
                    session.calls_left = 0

    def toggle_favorite(self, member: Member, album_id: int) -> str | None:
        """Add an album that is no favourite ("add"), remove one that is ("remove"); None where there are too many."""
        with self._lock:
            if member.favorites.pop(album_id, None) is not None:
                return "remove"
            if len(member.favorites) >= MAX_FAVORITES:
                return None
            member.favorites[album_id] = "0"
            return "add"

    def check_in(self, member: Member) -> bool:
        """Check a person in; False when they were today."""
        with self._lock:
            was_new = not member.has_checked_in
            member.has_checked_in = True
            return was_new

    def favorites_of(self, name: str) -> list[int]:
        """Album numbers of a person's favourites, the newest first."""
        with self._lock:
            return list(reversed(self._members[name].favorites))

    def set_favorite(self, name: str, album_id: int, *, is_favorite: bool) -> None:
        """Change a favourite as the person themselves would, in the app on their phone."""
        with self._lock:
            favorites = self._members[name].favorites
            favorites.pop(album_id, None)
            if is_favorite:
                favorites[album_id] = "0"

    def as_json(self) -> list[dict[str, Any]]:
        """Everybody's favourites and number of sessions, as the admin route shows them."""
        with self._lock:
            return [
                {
                    "name": name,
                    "favorites": [str(id) for id in reversed(member.favorites)],
                    "sessions": sum(session.member is member for session in self._sessions.values()),
                    "has_checked_in": member.has_checked_in,
                }
                for name, member in self._members.items()
            ]


def favorites_in_order(member: Member, folder_id: str, order: str) -> Sequence[Comic]:
    """A person's favourites of a folder ("0": all), newest first: as they were added ("mr") or updated ("mp")."""
    ids = [id for id, folder in reversed(list(member.favorites.items())) if folder_id in ("0", folder)]
    found = [comic for id in ids if (comic := library().find(id))]
    return sorted(found, key=lambda comic: comic.updated, reverse=True) if order == "mp" else found


def _member(name: str, index: int) -> Member:
    return Member(name, str(_FIRST_USER_ID + index), _FOLDERS.get(name, {}), _first_favorites(name))


def _first_favorites(name: str) -> dict[int, str]:
    if name == TRAVELLER:
        return {333908: "7003", 438516: "0"}
    if name != READER:
        return {}
    plain = [comic.id for comic in library().unscripted if comic.id not in (*_NO_FAVORITES, 350234)]
    ids = [*plain[: _READERS_FAVORITES - 2], BLOCKED_TAG_ALBUMS[0], 350234]
    return {id: "7001" if place < 22 else "7002" if place < 25 else "0" for place, id in enumerate(ids)}
