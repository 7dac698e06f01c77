-- Put a READY record back that was lost.
-- ARGV: fields as JSON {id, rev, version, same, album, owner?, channel}, body.
local new = cjson.decode(ARGV[1])
local key = record_key(new.id)
if redis.call('EXISTS', key) == 1 then return 'known' end

redis.call('HSET', key, 'v', new.version, 'rev', new.rev, 'state', 'READY', 'lease', '', 'body', ARGV[2])
redis.call('ZADD', P .. 'all', 0, new.id)
redis.call('ZADD', P .. 'state:READY', 0, new.id)
redis.call('ZADD', P .. 'album:' .. new.album, 0, new.id)
if new.owner then
  redis.call('HSET', key, 'owner', new.owner)
  redis.call('ZADD', P .. 'owner:' .. new.owner, 0, new.id)
  redis.call('ZADD', P .. 'owned', 0, new.id)
end
redis.call('SET', P .. 'same:' .. new.same, new.id, 'NX')
publish(new.channel, 'download:' .. new.id)
return 'restored'
