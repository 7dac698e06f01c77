"""Redis or Valkey: the client, events between processes, and an embedded Valkey for hosts without either."""

from services.redis.client import RedisClient, RedisUnavailable, open_redis, translate_redis_errors
from services.redis.embedded import embedded_valkey, join_valkey
from services.redis.locks import LockBusy, Locks
from services.redis.pubsub import Events, Watcher, open_events

__all__ = [
    "Events",
    "LockBusy",
    "Locks",
    "RedisClient",
    "RedisUnavailable",
    "Watcher",
    "embedded_valkey",
    "join_valkey",
    "open_events",
    "open_redis",
    "translate_redis_errors",
]
