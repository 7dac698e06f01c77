"""Fetches the tag database on a clock, in one worker at a time."""

from __future__ import annotations

import asyncio

import structlog

from services.ehtag import TagDatabase
from services.errors import JmgraphError
from services.redis import RedisClient, RedisUnavailable

log = structlog.get_logger("jmgraph.ehtag")

_TURN = "jmgraph:ehtag:turn"


async def keep_tags_synced(tags: TagDatabase, link: RedisClient, every_s: float) -> None:
    """Sync every `every_s` seconds, whichever worker comes first; 0: never. Never ends by itself."""
    if every_s <= 0:
        return
    while True:
        if await _is_our_turn(link, every_s):
            await _sync(tags)
        await asyncio.sleep(min(every_s, 60.0))


async def _is_our_turn(link: RedisClient, every_s: float) -> bool:
    try:
        return bool(await link.client.set(_TURN, b"1", nx=True, px=max(1, int(every_s * 1000))))
    except RedisUnavailable:
        return False


async def _sync(tags: TagDatabase) -> None:
    try:
        await tags.sync()
    except JmgraphError as error:
        log.warning("The tag database could not be fetched", reason=error.message)
