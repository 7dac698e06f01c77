"""Downloads in Redis. A change is one atomic step: check the transition, increment the revision, publish it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from services.downloads.queue import QUEUE, in_turn, job_fields
from services.downloads.records import OF_ALL, DownloadState, Ownership
from services.downloads.row import (
    ALL,
    RECORD_VERSION,
    DownloadRow,
    RowPage,
    check_version,
    in_state,
    row_from_json,
    row_to_json,
)
from services.errors import DownloadNotFound, QueueFull
from services.redis import Events, RedisClient

PREFIX = "jmgraph:downloads:"
SCRIPTS = Path(__file__).with_name("lua")
SCRIPT_NAMES = ("create", "save", "remove", "restore", "page", "lock_file", "workers")
QUEUE_FULL_RETRY_S = 30
"""About how often a download leaves the queue."""


class RevisionConflict(Exception):
    """The record is no longer at the revision at which it was read, or was removed."""


class IllegalTransition(Exception):
    """A record can't go from its state to that one."""


class NameTaken(Exception):
    """The file of another album has this name."""


class DownloadStore:
    """The records and the lists that index them, written in one atomic step."""

    def __init__(self, redis: RedisClient, events: Events) -> None:
        self._redis = redis.client
        self._channel = events.channel
        self._scripts = {name: self._script(name) for name in SCRIPT_NAMES}

    def _script(self, name: str) -> Any:
        shared = (SCRIPTS / "index.lua").read_text("utf-8")
        return self._redis.register_script(shared + (SCRIPTS / f"{name}.lua").read_text("utf-8"))

    async def check_version(self) -> None:
        """Raises `ConfigurationError` when a newer version wrote here; else stores ours."""
        key = f"{PREFIX}version"
        await self._redis.set(key, RECORD_VERSION, nx=True)
        check_version(int(await self._redis.get(key) or RECORD_VERSION))

    async def create(self, row: DownloadRow, *, limit: int, force: bool, now_ms: int) -> tuple[DownloadRow, bool]:
        """Store and queue a new row; or return the current one of the same request, and False. Raises `QueueFull`."""
        fields = {
            "id": row.download.id,
            "same": row.dedup_key,
            "album": row.download.album_id,
            "owner": row.download.owner_id,
            "force": force,
            "limit": limit,
            "now_ms": now_ms,
            "version": RECORD_VERSION,
            "channel": self._channel,
            "job": _job(row),
        }
        fields = {name: value for name, value in fields.items() if value is not None}
        while True:
            answer = await self._scripts["create"](args=[orjson.dumps(fields), row_to_json(row)])
            if answer[0] == b"full":
                raise _queue_full()
            if answer[0] == b"created":
                return row, True
            existing = await self.find(answer[1].decode())
            if existing:
                return existing, False

    async def find(self, id: str) -> DownloadRow | None:
        """The row of this id."""
        return (await self.find_many((id,)))[0]

    async def find_many(self, ids: Sequence[str]) -> list[DownloadRow | None]:
        """Rows in the order of `ids`, None where there is none; one round trip."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for id in ids:
                pipe.hmget(f"{PREFIX}record:{id}", ["v", "body", "owner"])
            return [_row_of(fields) for fields in await pipe.execute()] if ids else []

    async def find_duplicate(self, dedup_key: str, owner_id: str | None) -> DownloadRow | None:
        """The active or ready row of the same request of this owner."""
        id = await self._redis.get(f"{PREFIX}same:{dedup_key}")
        row = await self.find(id.decode()) if id else None
        return row if row and row.download.owner_id == owner_id else None

    async def find_named(self, stem: str) -> list[DownloadRow]:
        """Rows whose file has this name before its ending."""
        ids = await self._redis.hkeys(f"{PREFIX}name:{stem}")  # type: ignore[misc]
        found = await self.find_many(sorted((id.decode() for id in ids), reverse=True))
        return [row for row in found if row]

    async def save(self, old: DownloadRow, new: DownloadRow, *, limit: int | None = None) -> DownloadRow:
        """Replace `old` by `new` with the next revision; the row as it is stored.

        Raises `RevisionConflict`, `IllegalTransition`, `NameTaken`, and `QueueFull` when it is queued over `limit`.
        """
        new = new.replace(download=replace(new.download, revision=old.download.revision + 1))
        answer = await self._scripts["save"](args=[orjson.dumps(self._fields(old, new, limit)), row_to_json(new)])
        if answer == b"saved":
            return new
        raise {
            b"illegal": IllegalTransition(f"{old.state} to {new.state}"),
            b"taken": NameTaken(),
            b"full": _queue_full(),
        }.get(answer, RevisionConflict(new.download.id))

    def _fields(self, old: DownloadRow, new: DownloadRow, limit: int | None) -> dict[str, Any]:
        fields = {
            "id": old.download.id,
            "rev": old.download.revision,
            "version": RECORD_VERSION,
            "state": new.state,
            "lease": new.lease,
            "same": new.dedup_key,
            "album": new.download.album_id,
            "channel": self._channel,
            "limit": limit,
            "expires_ms": _ms(new.download.expires_at),
            # what still holds kept files does not end with the history
            "finished_ms": None if new.is_in_library else _ms(new.download.finished_at),
            "stem": new.stem or (None if new.state is DownloadState.READY else old.stem) or None,
            "gone_stem": old.stem if old.stem and old.stem != new.stem else None,
            "was_same": old.dedup_key if old.dedup_key != new.dedup_key else None,
            "trash": sorted(old.archive_keys - new.archive_keys) or None,
            "enqueue": _job(new) if new.job_id not in ("", old.job_id) else None,
            "dequeue": _job(old) if old.job_id and new.job_id != old.job_id else None,
        }
        return {name: value for name, value in fields.items() if value is not None}

    async def change(
        self, id: str, step: Callable[[DownloadRow], DownloadRow | None], *, limit: int | None = None
    ) -> tuple[DownloadRow, bool]:
        """Read, `step`, save, and start again after a conflict with another process.

        Returns the row, and whether this call changed it: a `step` that returns None leaves it as it is.
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
        """Remove a record, its job and its name, and mark its archive for deletion; its last row."""
        while True:
            old = await self.find(id)
            if old is None:
                return None
            fields = {
                "id": id,
                "rev": old.download.revision,
                "same": old.dedup_key,
                "album": old.download.album_id,
                "owner": old.download.owner_id,
                "channel": self._channel,
                "dequeue": _job(old),
                "stem": old.stem,
                "trash": sorted(old.archive_keys),
            }
            fields = {name: value for name, value in fields.items() if value is not None}
            if await self._scripts["remove"](args=[orjson.dumps(fields)]) == b"saved":
                return old

    async def restore(self, row: DownloadRow) -> bool:
        """Put a READY row back that was lost; False where it is there."""
        fields = {
            "id": row.download.id,
            "rev": row.download.revision,
            "version": RECORD_VERSION,
            "same": row.dedup_key,
            "album": row.download.album_id,
            "owner": row.download.owner_id,
            "channel": self._channel,
        }
        fields = {name: value for name, value in fields.items() if value is not None}
        return bool(await self._scripts["restore"](args=[orjson.dumps(fields), row_to_json(row)]) == b"restored")

    async def exist(self, ids: Sequence[str]) -> list[bool]:
        """For each id whether it has a record."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for id in ids:
                pipe.exists(f"{PREFIX}record:{id}")
            return [bool(found) for found in await pipe.execute()] if ids else []

    async def page(
        self, lists: Collection[str], *, after: str = "", count: int, ownership: Ownership = OF_ALL
    ) -> RowPage:
        """The newest `count` rows, older than `after`, of some lists (see `in_state`, `of_album`, `ALL`), as far as
        `ownership` includes them.
        """
        whose = "all" if ownership.sees_all else "of"
        total, before, *stored = await self._scripts["page"](
            args=[after, count, whose, ownership.owner_id or "", *lists]
        )
        return RowPage(tuple(row for fields in stored if (row := _row_of(fields))), total, before)

    async def ids_of(self, owner_id: str | None) -> list[str]:
        """Ids of all downloads of this owner."""
        if owner_id is not None:
            ids = await self._redis.zrange(f"{PREFIX}owner:{owner_id}", 0, -1)
        else:
            ids = await self._redis.zdiff([f"{PREFIX}{ALL}", f"{PREFIX}owned"])
        return [id.decode() for id in ids]

    async def lock_file(self, id: str, token: str, *, now_ms: int, until_ms: int) -> bool:
        """Keep a file from expiring until `until_ms`; False when it has expired."""
        return bool(await self._scripts["lock_file"](args=[id, token, now_ms, until_ms]))

    async def renew_file_lock(self, id: str, token: str, until_ms: int) -> None:
        """Extend a lock on a file."""
        key = f"{PREFIX}sending:{id}"
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zadd(key, {token: until_ms})
            pipe.pexpireat(key, until_ms)
            await pipe.execute()

    async def release_file_lock(self, id: str, token: str) -> None:
        """Release a lock on a file."""
        await self._redis.zrem(f"{PREFIX}sending:{id}", token)

    async def is_file_locked(self, id: str, now_ms: int) -> bool:
        """True while the file is being sent."""
        return bool(await self._redis.zcount(f"{PREFIX}sending:{id}", now_ms, "+inf"))

    async def due(self, list_name: str, until_ms: int) -> list[str]:
        """Ids of `expiry` or `history` whose time is before `until_ms`, the earliest first; at most 100."""
        key = f"{PREFIX}{list_name}"
        return [id.decode() for id in await self._redis.zrangebyscore(key, "-inf", until_ms, start=0, num=100)]

    async def next_expiry_ms(self) -> int | None:
        """When the next file expires."""
        first = await self._redis.zrange(f"{PREFIX}expiry", 0, 0, withscores=True)
        return int(first[0][1]) if first else None

    async def marked_for_deletion(self) -> list[str]:
        """Keys of archives that are marked for deletion."""
        return sorted(key.decode() for key in await self._redis.smembers(f"{PREFIX}trash"))  # type: ignore[misc]

    async def mark_for_deletion(self, key: str) -> None:
        """Mark an archive for deletion."""
        await self._redis.sadd(f"{PREFIX}trash", key)  # type: ignore[misc]

    async def unmark_for_deletion(self, key: str) -> None:
        """Remove the mark of an archive that was deleted."""
        await self._redis.srem(f"{PREFIX}trash", key)  # type: ignore[misc]

    async def count(self, *states: DownloadState) -> list[int]:
        """How many are in each of these states."""
        async with self._redis.pipeline(transaction=True) as pipe:
            for state in states:
                pipe.zcard(f"{PREFIX}{in_state(state)}")
            return [int(count) for count in await pipe.execute()]

    async def has_job(self, rows: Sequence[DownloadRow]) -> list[bool]:
        """For each row whether its job is in arq's queue."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for row in rows:
                pipe.zscore(QUEUE, row.job_id)
                pipe.exists(_job(row)["key"])
            answers = await pipe.execute() if rows else []
        return [score is not None and bool(job) for score, job in zip(answers[::2], answers[1::2], strict=True)]

    async def list_ended(self, count: int) -> list[tuple[str, DownloadState]]:
        """Ids of downloads that have become READY or FAILED, with that state, the first one first."""
        entries = await self._redis.lrange(f"{PREFIX}ended", 0, count - 1)  # type: ignore[misc]
        pairs = (entry.decode().split(":", 1) for entry in entries)
        return [(id, DownloadState(state)) for state, id in pairs]

    async def forget_ended(self, ended: Sequence[tuple[str, DownloadState]]) -> None:
        """Remove what `list_ended` gave."""
        async with self._redis.pipeline(transaction=True) as pipe:
            for id, state in ended:
                pipe.lrem(f"{PREFIX}ended", 1, f"{state}:{id}")
            await pipe.execute()

    async def in_turn(self, job_ids: list[bytes]) -> list[bytes]:
        """Jobs of the queue, which come in its order, as their owners are served: in turn."""
        if len(job_ids) < 2:
            return job_ids
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hmget(f"{PREFIX}waiting", job_ids)
            pipe.hgetall(f"{PREFIX}served")
            owners, served = await pipe.execute()
        turns = {owner: int(turn) for owner, turn in served.items()}
        return in_turn(job_ids, [owner or b"" for owner in owners], turns)

    async def workers(self, command: str, *args: str | int) -> list[str]:
        """Heartbeats of workers, for `Leases` alone."""
        return [worker.decode() for worker in await self._scripts["workers"](args=[command, *args])]


def _row_of(fields: Sequence[bytes | None]) -> DownloadRow | None:
    version, body, owner = fields
    return row_from_json(body, int(version), owner.decode() if owner else None) if version and body else None


def _job(row: DownloadRow) -> dict[str, Any]:
    return job_fields(row.job_id, row.download.id, row.queued_at_ms)


def _ms(at: datetime | None) -> int | None:
    return round(at.timestamp() * 1000) if at else None


def _queue_full() -> QueueFull:
    return QueueFull("As many downloads wait as this host allows.", retry_after_s=QUEUE_FULL_RETRY_S)
