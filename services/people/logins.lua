-- Begins an attempt to log in, unless too many were wrong.
-- KEYS: for each subject the number of its wrong attempts, and those under way by the ms they began at.
-- ARGV: the attempt, the wrong ones that are allowed, the ms after which one under way is given up.
-- Gives the ms to wait when too many were wrong; 0 when one under way must end first; -1 when it has begun.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local max, given_up_ms = tonumber(ARGV[2]), tonumber(ARGV[3])
local wait_ms, is_full = 0, false
for i = 1, #KEYS, 2 do
  local wrong = tonumber(redis.call('GET', KEYS[i]) or 0)
  redis.call('ZREMRANGEBYSCORE', KEYS[i + 1], '-inf', now - given_up_ms)
  if wrong >= max then
    wait_ms = math.max(wait_ms, 1, redis.call('PTTL', KEYS[i]))
  elseif wrong + redis.call('ZCARD', KEYS[i + 1]) >= max then
    is_full = true
  end
end
if wait_ms > 0 then return wait_ms end
if is_full then return 0 end
for i = 2, #KEYS, 2 do
  redis.call('ZADD', KEYS[i], now, ARGV[1])
  redis.call('PEXPIRE', KEYS[i], given_up_ms)
end
return -1
