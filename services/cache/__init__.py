"""A stale-while-revalidate cache in two tiers, and files on disk. Knows nothing of comics."""

from services.cache.cache import Cache, ReadWatcher
from services.cache.disk import CachedFile, DiskCache
from services.cache.gather import GatherBounded
from services.cache.keys import CacheEntry, CacheKey, View, shape_of
from services.cache.redis_tier import RedisTier
from services.cache.refresh_lock import RefreshLock
from services.cache.single_flight import Flight, SingleFlight

__all__ = [
    "Cache",
    "CacheEntry",
    "CacheKey",
    "CachedFile",
    "DiskCache",
    "Flight",
    "GatherBounded",
    "ReadWatcher",
    "RedisTier",
    "RefreshLock",
    "SingleFlight",
    "View",
    "shape_of",
]
