"""The embedded Valkey: a real server under the data directory, for who has no Redis.

Who holds `valkey/owner.lock` runs the server and stops it; others on the same data directory join it by the address
in `valkey/address.json`. The lock goes with its process, however that ends, so that a server left behind by a
kill -9 is adopted by the next owner. It listens on loopback, since the path of a socket may have 107 bytes only.
"""

from services.valkey.embedded import embedded_valkey, join_valkey

__all__ = ["embedded_valkey", "join_valkey"]
