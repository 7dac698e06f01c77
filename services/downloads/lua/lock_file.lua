-- Lock a file, so that it does not expire while it is sent; only one that has not expired. The archive of a download
-- that is being retried does not expire meanwhile.
-- ARGV: id, token, now in ms, until in ms.
local expires = redis.call('ZSCORE', P .. 'expiry', ARGV[1])
local is_expired = not expires or tonumber(expires) <= tonumber(ARGV[3])
if is_expired and not ACTIVE[redis.call('HGET', record_key(ARGV[1]), 'state')] then return 0 end
local locks = P .. 'sending:' .. ARGV[1]
redis.call('ZADD', locks, ARGV[4], ARGV[2])
redis.call('PEXPIREAT', locks, ARGV[4])
return 1
