-- Records of some lists, newest first, read at one moment.
-- ARGV: after (an id or ''), how many, 'all' or 'of' one owner, that owner ('' for the one of the server), names of
-- lists. Gives {total, how many come before, {v, body, owner}, ...}.
local after, count, whose, owner = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local below = after == '' and '+' or '(' .. after
local ids, total, before = {}, 0, 0

-- What a process of version 2.0 removed is still among those of its owner, but in no other list.
local function of_owner(list)
  if owner == '' then return redis.call('ZDIFF', 2, list, P .. 'owned') end
  return redis.call('ZINTER', 2, list, P .. 'owner:' .. owner)
end

for i = 5, #ARGV do
  local list = P .. ARGV[i]
  if whose == 'all' then
    total = total + redis.call('ZCARD', list)
    if after ~= '' then before = before + redis.call('ZLEXCOUNT', list, '[' .. after, '+') end
    for _, id in ipairs(redis.call('ZREVRANGEBYLEX', list, below, '-', 'LIMIT', 0, count)) do
      ids[#ids + 1] = id
    end
  else
    local members = of_owner(list)
    total = total + #members
    for _, id in ipairs(members) do
      if after ~= '' and id >= after then before = before + 1 else ids[#ids + 1] = id end
    end
  end
end
table.sort(ids, function(a, b) return a > b end)

local answer = {total, before}
for i = 1, math.min(count, #ids) do
  answer[#answer + 1] = redis.call('HMGET', record_key(ids[i]), 'v', 'body', 'owner')
end
return answer
