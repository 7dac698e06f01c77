"""A stale-while-revalidate cache in two tiers, and files on disk. Generic: it holds any msgspec-encodable record."""

from services.cache.disk import CachedFile, DiskCache, etag_of
from services.cache.single_flight import Flight, RefreshLock, SingleFlight
from services.cache.swr import Cache, ReadObserver
from services.cache.tiers import CacheEntry, CacheKey, DerivedValue, MemoryTier, RedisTier, shape_of

__all__ = [
    "Cache",
    "CacheEntry",
    "CacheKey",
    "CachedFile",
    "DerivedValue",
    "DiskCache",
    "Flight",
    "MemoryTier",
    "ReadObserver",
    "RedisTier",
    "RefreshLock",
    "SingleFlight",
    "etag_of",
    "shape_of",
]
