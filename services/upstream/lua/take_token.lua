-- Takes a token of a host's bucket, which holds the number of tokens and the time they were counted at.
-- KEYS: bucket, paused hosts. ARGV: host, tokens a second, size of the bucket, tokens to leave (-1: takes one in
-- advance, unless one already is).
-- Gives {ms to wait, ms that the host is paused}; both 0 when a token was taken.
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local paused = redis.call('HGET', KEYS[2], ARGV[1])
if paused and tonumber(paused) > now then return {0, math.ceil(paused - now)} end
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
