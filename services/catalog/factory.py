"""Opens the catalog with its cache, policy, covers and pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from services.cache import Cache, DiskCache, RedisTier
from services.catalog.catalog import Catalog, Freshness
from services.catalog.covers import Covers
from services.catalog.pages import FindStaged, Pages
from services.catalog.policy import ContentPolicy
from services.catalog.site import KeptPages, Site
from services.catalog.tags import TagIndex
from services.ehtag import TagKind
from services.redis import RedisClient
from services.settings import Settings

SITE_URL = "https://18comic.vip"
"""Links to albums begin with it when the settings name no address of the site's pages."""


@dataclass(frozen=True, slots=True)
class CatalogServices:
    """The services that read the site."""

    catalog: Catalog
    policy: ContentPolicy
    covers: Covers
    pages: Pages


@asynccontextmanager
async def open_catalog(
    settings: Settings,
    redis: RedisClient,
    site: Site,
    index: TagIndex,
    find_staged: FindStaged = lambda *_: None,
    seen_names: Counter[tuple[TagKind, str]] | None = None,
    kept: KeptPages | None = None,
) -> AsyncIterator[CatalogServices]:
    """The catalog over a site; to be closed before the site and Redis are.

    `find_staged` finds the pages of running downloads. `seen_names` counts the tags of the albums that are read.
    `kept` is what stays readable while the site can't be read.
    """
    async with AsyncExitStack() as stack:
        redis_tier = RedisTier(redis)
        policy = ContentPolicy(index, settings.blocked_tags, is_strict=settings.policy == "strict")
        cache = Cache(redis_tier, stale_s=settings.cache_stale_s)
        stack.push_async_callback(cache.aclose)
        catalog = Catalog(
            site,
            cache,
            redis_tier,
            policy,
            _freshness(settings),
            concurrency=settings.jm_concurrency,
            site_url=next(iter(settings.jm_html_urls), SITE_URL),
            seen_names=seen_names,
            kept=kept,
        )
        stack.push_async_callback(catalog.aclose)
        await catalog.load_seen_names()
        disk = await _open_disk(settings.data_dir / "images", settings.cache_bytes)
        covers = Covers(site, catalog, disk, redis_tier)
        stack.push_async_callback(covers.aclose)
        pages = Pages(site, catalog, disk, redis_tier, find_staged, kept)
        stack.push_async_callback(pages.aclose)
        yield CatalogServices(catalog, policy, covers, pages)


async def _open_disk(folder: Path, limit_bytes: int) -> DiskCache:
    disk = DiskCache(folder, limit_bytes)
    await disk.sweep()
    return disk


def _freshness(settings: Settings) -> Freshness:
    return Freshness(
        search_s=settings.cache_search_s,
        ranking_s=settings.cache_ranking_s,
        album_s=settings.cache_album_s,
        comments_s=settings.cache_comments_s,
    )
