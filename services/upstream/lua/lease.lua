-- Reports what this process uses and wants, and gives it its share of the slots.
-- KEYS: members, paused hosts. ARGV: member, limit, lease ms, slots in use, wanted by interactive
-- requests, downloads, background work.
-- Gives {slots, 1 when others wait, host, ms, host, ms, ...}: the hosts that are paused, and for how long.
--
-- A member is a process: "<expires ms> <slots held> <wanted by priority 0> <by 1> <by 2>". Each priority in turn
-- shares what those before it left, evenly among the processes that want some. Where that leaves an odd slot, the
-- process that has it changes four times a second. A process gets its share as soon as the others have released theirs.
-- No priority takes everything: an eighth of the slots is kept for each lower one that wants some; of too few slots
-- all are theirs in one second of four.
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
local shift = math.floor(now / 250) % #rows
local got = {{}, {}, {}, {}}

-- Gives up to `slots` to what a priority wants, evenly among the processes; returns how many were wanted.
local function give(level, slots)
  local left, share = slots, 1
  while left > 0 and share > 0 do
    local short = 0
    for i = 1, #rows do if rows[i][level] > (got[level][i] or 0) then short = short + 1 end end
    if short == 0 then break end
    share = math.floor(left / short)
    for i = 1, #rows do
      local at = (i + shift - 1) % #rows + 1
      local more = math.min(rows[at][level] - (got[level][at] or 0), math.max(share, 1), left)
      got[level][at] = (got[level][at] or 0) + more
      left = left - more
    end
  end
  return slots - left
end

local wanting = {}
for level = 2, 4 do
  for i = 1, #rows do
    if rows[i][level] > 0 then wanting[#wanting + 1] = level; break end
  end
end
local left, tick = limit, math.floor(now / 1000)
if limit >= 2 * #wanting then
  for n = 2, #wanting do left = left - give(wanting[n], math.max(1, math.floor(limit / 8))) end
elseif #wanting > 1 and tick % 4 == 3 then
  left = left - give(wanting[2 + math.floor(tick / 4) % (#wanting - 1)], limit)
end
for level = 2, 4 do left = left - give(level, left) end
local mine = 0
for level = 2, 4 do
  for i = 1, #rows do if rows[i][1] == me then mine = mine + (got[level][i] or 0) end end
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
local paused = redis.call('HGETALL', KEYS[2])
for i = 1, #paused, 2 do
  local ms = tonumber(paused[i + 1]) - now
  if ms > 0 then
    answer[#answer + 1] = paused[i]
    answer[#answer + 1] = ms
  else
    redis.call('HDEL', KEYS[2], paused[i])
  end
end
return answer
