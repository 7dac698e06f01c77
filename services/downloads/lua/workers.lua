-- The workers, each with the time until which it counts as alive, by the server's clock.
-- ARGV: 'beat', worker, ms it lasts | 'leave', worker | 'alive'. Gives the workers that are alive.
local workers = P .. 'workers'
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if ARGV[1] == 'beat' then redis.call('ZADD', workers, now + tonumber(ARGV[3]), ARGV[2]) end
if ARGV[1] == 'leave' then redis.call('ZREM', workers, ARGV[2]) end
redis.call('ZREMRANGEBYSCORE', workers, '-inf', now)
return redis.call('ZRANGE', workers, 0, -1)
