-- Pauses a host for all processes; a longer pause stays.
-- KEYS: paused hosts. ARGV: host, ms.
local t = redis.call('TIME')
local until_ms = t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[2]
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known or tonumber(known) < until_ms then
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', until_ms))
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1
