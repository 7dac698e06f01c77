"""The limiter's books in Redis, for all processes that share it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from services.observability import Priority
from services.redis import RedisClient
from services.upstream.limiter_store import BURST, TOKENS_LEFT, Admission, Grant

LEASE_MS = 3000
"""A process that says nothing for this long holds no slots."""

_PREFIX = "jmgraph:limiter"


class SharedStore:
    """All processes of one Redis. Times are Redis' own, so that clocks may differ."""

    def __init__(self, redis: RedisClient) -> None:
        self._client = redis.client
        self._member = secrets.token_hex(8)
        self._share = self._client.register_script(_SHARE)
        self._take = self._client.register_script(_TAKE)
        self._leave = self._client.register_script("return redis.call('HDEL', KEYS[1], ARGV[1])")
        self._hush = self._client.register_script(_QUIET)

    async def share(self, limit: int, in_use: int, wanted: Mapping[Priority, int]) -> Grant:
        """Slots by priority, evenly among the processes that want them."""
        wants = [wanted[priority] for priority in Priority]
        slots, others_wait, *quiet = await self._share(
            keys=[f"{_PREFIX}:members", f"{_PREFIX}:quiet"],
            args=[self._member, limit, LEASE_MS, in_use, *wants],
        )
        pairs = zip(quiet[::2], quiet[1::2], strict=True)
        return Grant(int(slots), bool(others_wait), {host.decode(): int(ms) / 1000 for host, ms in pairs})

    async def take(self, host: str, rate_per_s: float, priority: Priority) -> Admission:
        """A token of the bucket that all processes share."""
        wait_ms, quiet_ms = await self._take(
            keys=[f"{_PREFIX}:bucket:{host}", f"{_PREFIX}:quiet"],
            args=[host, rate_per_s, BURST, TOKENS_LEFT[priority]],
        )
        return Admission(int(wait_ms) / 1000, int(quiet_ms) / 1000)

    async def quiet(self, host: str, seconds: float) -> None:
        """Every process hears of it with its next `share` or `take`."""
        await self._hush(keys=[f"{_PREFIX}:quiet"], args=[host, round(seconds * 1000)])

    async def leave(self) -> None:
        """Give the slots back at once, not when the lease ends."""
        await self._leave(keys=[f"{_PREFIX}:members"], args=[self._member])


# members: field = process, value = "<expires ms> <slots held> <wanted by persons> <by downloads> <by upkeep>".
# Each priority in turn shares what those before it left, evenly among the processes that want some; where it can't
# be even, whose turn it is to have the odd slot moves on four times a second. A process gets its share as far as
# the others have let go of theirs.
_SHARE = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local me, limit, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local rows, others_held, others_want = {{me, tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])}}, 0, 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local expires, held, p, d, u = string.match(all[i + 1], '^(%d+) (%d+) (%d+) (%d+) (%d+)$')
  if not expires or tonumber(expires) < now then
    redis.call('HDEL', KEYS[1], all[i])
  elseif all[i] ~= me then
    others_held = others_held + held
    if p + d + u > tonumber(held) then others_want = 1 end
    rows[#rows + 1] = {all[i], tonumber(p), tonumber(d), tonumber(u)}
  end
end
table.sort(rows, function(a, b) return a[1] < b[1] end)
local turn = math.floor(now / 250) % #rows
local mine, left = 0, limit
for level = 2, 4 do
  local got, share = {}, 1
  while left > 0 and share > 0 do
    local short = 0
    for i = 1, #rows do if rows[i][level] > (got[i] or 0) then short = short + 1 end end
    if short == 0 then break end
    share = math.floor(left / short)
    for i = 1, #rows do
      local at = (i + turn - 1) % #rows + 1
      local give = math.min(rows[at][level] - (got[at] or 0), math.max(share, 1), left)
      got[at] = (got[at] or 0) + give
      left = left - give
    end
  end
  for i = 1, #rows do if rows[i][1] == me then mine = mine + (got[i] or 0) end end
end
local grant = math.max(0, math.min(mine, limit - others_held))
local held = math.max(grant, tonumber(ARGV[4]))
if ARGV[5] + ARGV[6] + ARGV[7] > 0 or held > 0 then
  local row = string.format('%.0f %d %d %d %d', now + lease, held, ARGV[5], ARGV[6], ARGV[7])
  redis.call('HSET', KEYS[1], me, row)
  redis.call('PEXPIRE', KEYS[1], lease * 2)
else
  redis.call('HDEL', KEYS[1], me)
end
local answer = {grant, others_want}
local quiet = redis.call('HGETALL', KEYS[2])
for i = 1, #quiet, 2 do
  local ms = tonumber(quiet[i + 1]) - now
  if ms > 0 then
    answer[#answer + 1] = quiet[i]
    answer[#answer + 1] = ms
  else
    redis.call('HDEL', KEYS[2], quiet[i])
  end
end
return answer
"""

# bucket: tokens and the time they were counted at. Gives {wait ms, quiet ms}.
_TAKE = """
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local quiet = redis.call('HGET', KEYS[2], ARGV[1])
if quiet and tonumber(quiet) > now then return {0, math.ceil(quiet - now)} end
local rate, burst, leave = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local known = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(known[1]) or burst, tonumber(known[2]) or now
tokens = math.min(burst, tokens + math.max(0, now - at) * rate / 1000)
local missing = leave + 1 - tokens
if missing <= 0 then tokens = tokens - 1 end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.3f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
if missing <= 0 then return {0, 0} end
return {math.ceil(missing / rate * 1000), 0}
"""

_QUIET = """
local t = redis.call('TIME')
local until_ms = t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[2]
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known or tonumber(known) < until_ms then
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', until_ms))
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1
"""
