-- Lock a file, so that it does not expire while it is sent; only one that has not expired.
-- ARGV: id, token, now in ms, until in ms.
local expires = redis.call('ZSCORE', P .. 'expiry', ARGV[1])
if not expires or tonumber(expires) <= tonumber(ARGV[3]) then return 0 end
local locks = P .. 'sending:' .. ARGV[1]
redis.call('ZADD', locks, ARGV[4], ARGV[2])
redis.call('PEXPIREAT', locks, ARGV[4])
return 1
