-- Records of some lists, newest first, read at one moment.
-- ARGV: after (an id or ''), how many, names of lists. Gives {total, how many come before, {v, body}, ...}.
local after, count = ARGV[1], tonumber(ARGV[2])
local below = after == '' and '+' or '(' .. after
local ids, total, before = {}, 0, 0
for i = 3, #ARGV do
  local list = P .. ARGV[i]
  total = total + redis.call('ZCARD', list)
  if after ~= '' then before = before + redis.call('ZLEXCOUNT', list, '[' .. after, '+') end
  for _, id in ipairs(redis.call('ZREVRANGEBYLEX', list, below, '-', 'LIMIT', 0, count)) do
    ids[#ids + 1] = id
  end
end
table.sort(ids, function(a, b) return a > b end)

local answer = {total, before}
for i = 1, math.min(count, #ids) do
  answer[#answer + 1] = redis.call('HMGET', record_key(ids[i]), 'v', 'body')
end
return answer
