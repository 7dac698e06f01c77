-- Takes tokens from buckets, which fill evenly; a bucket may owe at most what it holds.
-- KEYS: buckets, each "<tokens> <ms at which they were counted>". ARGV: for each its size, the seconds in which it
-- fills, and the tokens to take (negative: to give back). Gives the tokens left, as text.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local answer = {}
for i, key in ipairs(KEYS) do
  local size, window_ms, spent = tonumber(ARGV[3 * i - 2]), ARGV[3 * i - 1] * 1000, tonumber(ARGV[3 * i])
  local tokens, at = size, now
  local known = redis.call('GET', key)
  if known then
    local text, since = string.match(known, '^(%S+) (%d+)$')
    tokens, at = tonumber(text) or size, tonumber(since) or now
  end
  tokens = math.min(size, tokens + math.max(0, now - at) * size / window_ms)
  tokens = math.max(-size, math.min(size, tokens - spent))
  redis.call('SET', key, string.format('%.3f %.0f', tokens, now), 'PX', 2 * window_ms)
  answer[i] = string.format('%.3f', tokens)
end
return answer
