-- Create a record and its job, unless the same download is current or the queue is full.
-- ARGV: fields as JSON {id, same, album, owner?, force, limit, now_ms, version, channel, job}, body.
local new = cjson.decode(ARGV[1])
if not new.force then
  local other = redis.call('GET', P .. 'same:' .. new.same)
  if other and owner_of(other) == new.owner then
    local state = redis.call('HGET', record_key(other), 'state')
    local expires = redis.call('ZSCORE', P .. 'expiry', other)
    if state and (ACTIVE[state] or (state == 'READY' and (not expires or tonumber(expires) > new.now_ms))) then
      return {'same', other}
    end
  end
end
if is_full(new.limit, new.owner) then return {'full'} end

redis.call('HSET', record_key(new.id), 'v', new.version, 'rev', 1, 'state', 'QUEUED', 'lease', '', 'body', ARGV[2])
redis.call('ZADD', P .. 'all', 0, new.id)
redis.call('ZADD', P .. 'state:QUEUED', 0, new.id)
redis.call('ZADD', P .. 'album:' .. new.album, 0, new.id)
if new.owner then
  redis.call('HSET', record_key(new.id), 'owner', new.owner)
  redis.call('ZADD', P .. 'owner:' .. new.owner, 0, new.id)
  redis.call('ZADD', P .. 'owned', 0, new.id)
end
set_current(new.same, new.id)
enqueue(new.job, new.owner)
publish(new.channel, 'download:' .. new.id)
publish(new.channel, 'queue')
return {'created', new.id}
