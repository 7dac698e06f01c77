-- Lock a file, so that it does not expire while it is sent; only one that has not expired. The archive of a download
-- that is being retried does not expire meanwhile, and a kept one never does: it is not in the list.
-- ARGV: id, token, now in ms, until in ms.
local expires = redis.call('ZSCORE', P .. 'expiry', ARGV[1])
local is_expired = expires and tonumber(expires) <= tonumber(ARGV[3])
local state = redis.call('HGET', record_key(ARGV[1]), 'state')
if not state or (is_expired and not ACTIVE[state]) then return 0 end
local locks = P .. 'sending:' .. ARGV[1]
redis.call('ZADD', locks, ARGV[4], ARGV[2])
redis.call('PEXPIREAT', locks, ARGV[4])
return 1
