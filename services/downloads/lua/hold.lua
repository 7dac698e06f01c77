-- Hold a file against its expiry while it is sent; only one that lives.
-- ARGV: id, token, now in ms, until in ms.
local expires = redis.call('ZSCORE', P .. 'expiry', ARGV[1])
if not expires or tonumber(expires) <= tonumber(ARGV[3]) then return 0 end
local holds = P .. 'sending:' .. ARGV[1]
redis.call('ZADD', holds, ARGV[4], ARGV[2])
redis.call('PEXPIREAT', holds, ARGV[4])
return 1
