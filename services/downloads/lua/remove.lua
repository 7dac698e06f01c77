-- Remove a record that is still at the revision it was read at.
-- ARGV: fields as JSON {id, rev, same, album, owner?, channel, dequeue, stem, trash}.
local old = cjson.decode(ARGV[1])
local key = record_key(old.id)
local at = redis.call('HMGET', key, 'rev', 'state')
if not at[1] then return 'gone' end
if tonumber(at[1]) ~= old.rev then return 'conflict' end

redis.call('DEL', key)
redis.call('ZREM', P .. 'all', old.id)
redis.call('ZREM', P .. 'state:' .. at[2], old.id)
redis.call('ZREM', P .. 'album:' .. old.album, old.id)
if old.owner then
  redis.call('ZREM', P .. 'owner:' .. old.owner, old.id)
  redis.call('ZREM', P .. 'owned', old.id)
end
redis.call('ZREM', P .. 'expiry', old.id)
redis.call('ZREM', P .. 'history', old.id)
redis.call('HDEL', P .. 'name:' .. old.stem, old.id)
for _, state in ipairs({'READY', 'FAILED'}) do redis.call('LREM', P .. 'ended', 0, state .. ':' .. old.id) end
clear_current(old.same, old.id)
dequeue(old.dequeue)
mark_for_deletion(old.trash)
publish(old.channel, 'download:' .. old.id)
publish(old.channel, 'ended:' .. old.id)
return 'saved'
