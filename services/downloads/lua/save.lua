-- Change a record that is still at the revision it was read at, and every list it is in.
-- ARGV: fields as JSON {id, rev, version, state, lease, same, album, channel, limit?, expires_ms?, finished_ms?,
--       enqueue?, dequeue?, stem?, trash?, was_same?, gone_stem?}, body.
local new = cjson.decode(ARGV[1])
local key = record_key(new.id)
local at = redis.call('HMGET', key, 'rev', 'state')
if not at[1] then return 'gone' end
if tonumber(at[1]) ~= new.rev then return 'conflict' end
local old_state = at[2]
if not (TRANSITIONS[old_state] and TRANSITIONS[old_state][new.state]) then return 'illegal' end
if new.limit and is_full(new.limit, owner_of(new.id)) then return 'full' end
if new.stem and new.state == 'READY' and is_taken(new.stem, new.album) then return 'taken' end

redis.call('HSET', key, 'v', new.version, 'rev', new.rev + 1, 'state', new.state, 'lease', new.lease, 'body', ARGV[2])
if new.dequeue then dequeue(new.dequeue) end
if new.enqueue then
  enqueue(new.enqueue, owner_of(new.id))
  publish(new.channel, 'queue')
end
if new.trash then mark_for_deletion(new.trash) end
if new.was_same then
  clear_current(new.was_same, new.id)
  if ACTIVE[new.state] or new.state == 'READY' then redis.call('SET', P .. 'same:' .. new.same, new.id, 'NX') end
end

if old_state == 'QUEUED' and new.state == 'RUNNING' then
  if redis.call('EXISTS', P .. 'waiting') == 1 then
    redis.call('HSET', P .. 'served', owner_of(new.id) or '', redis.call('INCR', P .. 'turns'))
  else -- nobody waits: nobody is behind
    redis.call('DEL', P .. 'served', P .. 'turns')
  end
end
if old_state ~= new.state then
  redis.call('ZREM', P .. 'state:' .. old_state, new.id)
  redis.call('ZADD', P .. 'state:' .. new.state, 0, new.id)
  if ACTIVE[new.state] then
    redis.call('ZREM', P .. 'history', new.id)
    redis.call('SET', P .. 'same:' .. new.same, new.id, 'NX')
  elseif new.state == 'READY' then
    redis.call('ZREM', P .. 'history', new.id)
    redis.call('SET', P .. 'same:' .. new.same, new.id, 'NX')
    if new.stem then redis.call('HSET', P .. 'name:' .. new.stem, new.id, new.album) end
  else
    if new.finished_ms then redis.call('ZADD', P .. 'history', new.finished_ms, new.id) end
    clear_current(new.same, new.id)
  end
  if old_state == 'READY' then
    redis.call('ZREM', P .. 'expiry', new.id)
    if new.stem and not ACTIVE[new.state] then redis.call('HDEL', P .. 'name:' .. new.stem, new.id) end
  end
end
if new.state == 'READY' then
  if new.expires_ms then redis.call('ZADD', P .. 'expiry', new.expires_ms, new.id)
  else redis.call('ZREM', P .. 'expiry', new.id) end
  if new.gone_stem then redis.call('HDEL', P .. 'name:' .. new.gone_stem, new.id) end
end

if new.state == 'FAILED' or (new.state == 'READY' and old_state == 'PACKING') then
  redis.call('RPUSH', P .. 'ended', new.state .. ':' .. new.id)
  redis.call('LTRIM', P .. 'ended', -10000, -1) -- where no worker reads them
end
publish(new.channel, 'download:' .. new.id)
if not ACTIVE[new.state] then publish(new.channel, 'ended:' .. new.id) end
return 'saved'
