"""A stale-while-revalidate cache in two tiers, and files on disk. Generic: for any record of msgspec."""

from services.cache.disk import CachedFile, DiskCache, etag_of
from services.cache.single_flight import InFlightCall, RefreshLock, SingleFlight
from services.cache.swr import Cache, ReadObserver
from services.cache.tiers import CacheEntry, CacheKey, DerivedValue, MemoryTier, RedisTier, schema_hash

__all__ = [
    "Cache",
    "CacheEntry",
    "CacheKey",
    "CachedFile",
    "DerivedValue",
    "DiskCache",
    "InFlightCall",
    "MemoryTier",
    "ReadObserver",
    "RedisTier",
    "RefreshLock",
    "SingleFlight",
    "etag_of",
    "schema_hash",
]
