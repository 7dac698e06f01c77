"""Downloads in Redis: every change is one atomic step that checks the move, bumps the revision and announces it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from services.downloads.lists import EntryPage, in_state
from services.downloads.queue import QUEUE, job_facts
from services.downloads.records import DownloadState
from services.downloads.row import RECORD_VERSION, DownloadRow, check_version, entry_from_json, entry_to_json
from services.errors import DownloadNotFound, QueueFull
from services.redis import Events, RedisClient

PREFIX = "jmgraph:downloads:"
SCRIPTS = Path(__file__).with_name("lua")
SCRIPT_NAMES = ("create", "save", "remove", "page", "hold", "workers")
QUEUE_FULL_RETRY_S = 30
"""A place in the queue becomes free about this often."""


class RevisionConflict(Exception):
    """The record is no longer at the revision it was read at, or has gone."""


class IllegalTransition(Exception):
    """No record goes from the state it is in to that one."""


class NameTaken(Exception):
    """Another album's file of this name lives."""


class Store:
    """The records, and the lists that are kept with them in the same step."""

    def __init__(self, link: RedisClient, events: Events) -> None:
        self._redis = link.client
        self._channel = events.channel
        self._scripts = {name: self._script(name) for name in SCRIPT_NAMES}

    def _script(self, name: str) -> Any:
        shared = (SCRIPTS / "index.lua").read_text("utf-8")
        return self._redis.register_script(shared + (SCRIPTS / f"{name}.lua").read_text("utf-8"))

    async def check_version(self) -> None:
        """`ConfigurationError` when a newer version wrote here; else note ours."""
        key = f"{PREFIX}version"
        await self._redis.set(key, RECORD_VERSION, nx=True)
        check_version(int(await self._redis.get(key) or RECORD_VERSION))

    async def create(self, entry: DownloadRow, *, limit: int, force: bool, now_ms: int) -> tuple[DownloadRow, bool]:
        """Keep and queue a new entry; or the living one that is the same, then False. `QueueFull` at the limit."""
        facts = {
            "id": entry.download.id,
            "same": entry.same_key,
            "album": entry.download.album_id,
            "force": force,
            "limit": limit,
            "now_ms": now_ms,
            "version": RECORD_VERSION,
            "channel": self._channel,
            "job": _job(entry),
        }
        while True:
            answer = await self._scripts["create"](args=[orjson.dumps(facts), entry_to_json(entry)])
            if answer[0] == b"full":
                raise _queue_full()
            if answer[0] == b"created":
                return entry, True
            living = await self.find(answer[1].decode())
            if living:
                return living, False

    async def find(self, id: str) -> DownloadRow | None:
        """The entry of this id."""
        return (await self.find_many((id,)))[0]

    async def find_many(self, ids: Sequence[str]) -> list[DownloadRow | None]:
        """Entries in the order asked, None where there is none; one round trip."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for id in ids:
                pipe.hmget(f"{PREFIX}record:{id}", ["v", "body"])
            return [_entry(row) for row in await pipe.execute()] if ids else []

    async def find_same(self, same_key: str) -> DownloadRow | None:
        """The entry that was last asked for with this key and is active or ready."""
        id = await self._redis.get(f"{PREFIX}same:{same_key}")
        return await self.find(id.decode()) if id else None

    async def find_named(self, stem: str) -> list[DownloadRow]:
        """Entries whose living file has this name before its ending."""
        ids = await self._redis.hkeys(f"{PREFIX}name:{stem}")  # type: ignore[misc]
        found = await self.find_many(sorted((id.decode() for id in ids), reverse=True))
        return [entry for entry in found if entry]

    async def save(self, old: DownloadRow, new: DownloadRow, *, limit: int | None = None) -> DownloadRow:
        """Replace `old` by `new`, whose revision becomes the next one; what is stored.

        Raises `RevisionConflict`, `IllegalTransition`, `NameTaken`, and `QueueFull` when it is queued over `limit`.
        """
        new = replace(new, download=replace(new.download, revision=old.download.revision + 1))
        answer = await self._scripts["save"](args=[orjson.dumps(self._facts(old, new, limit)), entry_to_json(new)])
        if answer == b"saved":
            return new
        raise {
            b"illegal": IllegalTransition(f"{old.state} to {new.state}"),
            b"taken": NameTaken(),
            b"full": _queue_full(),
        }.get(answer, RevisionConflict(new.download.id))

    def _facts(self, old: DownloadRow, new: DownloadRow, limit: int | None) -> dict[str, Any]:
        facts = {
            "id": old.download.id,
            "rev": old.download.revision,
            "version": RECORD_VERSION,
            "state": new.state,
            "lease": new.lease,
            "same": new.same_key,
            "album": new.download.album_id,
            "channel": self._channel,
            "limit": limit,
            "expires_ms": _ms(new.download.expires_at),
            "finished_ms": _ms(new.download.finished_at),
            "stem": new.stem or old.stem or None,
            "trash": old.archive_key if old.archive_key != new.archive_key else None,
            "enqueue": _job(new) if new.job_id not in ("", old.job_id) else None,
            "dequeue": _job(old) if old.job_id and new.job_id != old.job_id else None,
        }
        return {name: value for name, value in facts.items() if value is not None}

    async def change(
        self, id: str, step: Callable[[DownloadRow], DownloadRow | None], *, limit: int | None = None
    ) -> tuple[DownloadRow, bool]:
        """Read, `step`, save, and again from the start if somebody was quicker.

        The entry as it stands then, and whether this call changed it: a `step` that gives None leaves it.
        Raises `DownloadNotFound`, and what `save` and `step` raise.
        """
        while True:
            old = await self.find(id)
            if old is None:
                raise DownloadNotFound(id)
            new = step(old)
            if new is None:
                return old, False
            try:
                return await self.save(old, new, limit=limit), True
            except RevisionConflict:
                continue

    async def remove(self, id: str) -> DownloadRow | None:
        """Forget a record with its job and its name, its archive marked for deletion; the last of it."""
        while True:
            old = await self.find(id)
            if old is None:
                return None
            facts = {
                "id": id,
                "rev": old.download.revision,
                "same": old.same_key,
                "album": old.download.album_id,
                "channel": self._channel,
                "dequeue": _job(old),
                "stem": old.stem,
                "trash": old.archive_key,
            }
            if await self._scripts["remove"](args=[orjson.dumps(facts)]) == b"saved":
                return old

    async def page(self, lists: Collection[str], *, after: str = "", count: int) -> EntryPage:
        """The newest `count` entries, older than `after`, of some lists (see `in_state`, `of_album`, `ALL`)."""
        total, before, *rows = await self._scripts["page"](args=[after, count, *lists])
        return EntryPage(tuple(entry for row in rows if (entry := _entry(row))), total, before)

    async def hold(self, id: str, token: str, *, now_ms: int, until_ms: int) -> bool:
        """Keep a living file from expiring until then; False when it has gone."""
        return bool(await self._scripts["hold"](args=[id, token, now_ms, until_ms]))

    async def renew_hold(self, id: str, token: str, until_ms: int) -> None:
        """Make a hold last until then."""
        key = f"{PREFIX}sending:{id}"
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zadd(key, {token: until_ms})
            pipe.pexpireat(key, until_ms)
            await pipe.execute()

    async def release(self, id: str, token: str) -> None:
        """End a hold."""
        await self._redis.zrem(f"{PREFIX}sending:{id}", token)

    async def is_held(self, id: str, now_ms: int) -> bool:
        """True while somebody sends the file."""
        return bool(await self._redis.zcount(f"{PREFIX}sending:{id}", now_ms, "+inf"))

    async def due(self, list_name: str, until_ms: int) -> list[str]:
        """Ids of `expiry` or `history` whose time is before `until_ms`, the earliest first; at most 100."""
        key = f"{PREFIX}{list_name}"
        return [id.decode() for id in await self._redis.zrangebyscore(key, "-inf", until_ms, start=0, num=100)]

    async def next_expiry_ms(self) -> int | None:
        """When the next file goes."""
        first = await self._redis.zrange(f"{PREFIX}expiry", 0, 0, withscores=True)
        return int(first[0][1]) if first else None

    async def trash(self) -> list[str]:
        """Keys of archives that nobody may see any more and that are to be deleted."""
        return sorted(key.decode() for key in await self._redis.smembers(f"{PREFIX}trash"))  # type: ignore[misc]

    async def throw_away(self, key: str) -> None:
        """Mark an archive for deletion."""
        await self._redis.sadd(f"{PREFIX}trash", key)  # type: ignore[misc]

    async def forget_trash(self, key: str) -> None:
        """This archive is deleted."""
        await self._redis.srem(f"{PREFIX}trash", key)  # type: ignore[misc]

    async def count(self, *states: DownloadState) -> list[int]:
        """How many are in each of these states."""
        async with self._redis.pipeline(transaction=True) as pipe:
            for state in states:
                pipe.zcard(f"{PREFIX}{in_state(state)}")
            return [int(count) for count in await pipe.execute()]

    async def has_job(self, entries: Sequence[DownloadRow]) -> list[bool]:
        """For each entry whether its job stands in arq's queue."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for entry in entries:
                pipe.zscore(QUEUE, entry.job_id)
                pipe.exists(_job(entry)["key"])
            answers = await pipe.execute() if entries else []
        return [place is not None and bool(there) for place, there in zip(answers[::2], answers[1::2], strict=True)]

    async def workers(self, word: str, *args: str | int) -> list[str]:
        """Heartbeats; see `leases.py`, the only one to call this."""
        return [worker.decode() for worker in await self._scripts["workers"](args=[word, *args])]


def _entry(row: Sequence[bytes | None]) -> DownloadRow | None:
    version, body = row
    return entry_from_json(body, int(version)) if version and body else None


def _job(entry: DownloadRow) -> dict[str, Any]:
    return job_facts(entry.job_id, entry.download.id, entry.place_ms)


def _ms(at: datetime | None) -> int | None:
    return round(at.timestamp() * 1000) if at else None


def _queue_full() -> QueueFull:
    return QueueFull("As many downloads wait as this host allows.", retry_after_s=QUEUE_FULL_RETRY_S)
