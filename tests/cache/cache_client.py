"""A process that reads an album, for the tests of several processes on one cache.

Usage: cache_client.py REDIS_URL LOCK_S READS. Valkey also plays the site: a call is counted in `calls` and takes
until `release` is set. Prints the title it got.
"""

from __future__ import annotations

import asyncio
import sys

from services.cache import Cache, CacheKey, RedisTier
from services.redis import RedisClient
from services.upstream.records import AlbumDetail
from tests.fakes import album

ALBUMS = CacheKey("album", AlbumDetail, 60.0)


async def main(url: str, lock_s: str, reads: str) -> None:
    redis_client = RedisClient(url)
    cache = Cache(RedisTier(redis_client, lock_s=float(lock_s)), stale_s=60.0)

    async def fetch() -> AlbumDetail:
        await redis_client.client.incr("calls")
        while not await redis_client.client.exists("release"):  # noqa: ASYNC110 (the other side is another process)
            await asyncio.sleep(0.01)
        return album("1", title="山行")

    entries = await asyncio.gather(*(cache.read(ALBUMS, "1", fetch) for _ in range(int(reads))))
    sys.stdout.write(f"{ {entry.value_or_raise.title for entry in entries} }")
    await cache.aclose()
    await redis_client.aclose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
