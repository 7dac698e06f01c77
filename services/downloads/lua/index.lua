-- Shared by all scripts, put before each: names of keys, and the lists that a record is in.
local P = 'jmgraph:downloads:'
local ACTIVE = {QUEUED = true, RUNNING = true, PACKING = true}
-- READY without PACKING is one whose retry was cancelled or failed: its earlier archive is still there. The same state
-- again is one that is to be kept, or no longer. A kept one is READY again once its files are back.
local TRANSITIONS = {
  QUEUED = {QUEUED = true, RUNNING = true, READY = true, FAILED = true, CANCELLED = true},
  RUNNING = {RUNNING = true, PACKING = true, READY = true, QUEUED = true, FAILED = true, CANCELLED = true},
  PACKING = {PACKING = true, READY = true, QUEUED = true, FAILED = true, CANCELLED = true},
  READY = {READY = true, EXPIRED = true, QUEUED = true},
  FAILED = {FAILED = true, QUEUED = true},
  CANCELLED = {CANCELLED = true, QUEUED = true},
  EXPIRED = {EXPIRED = true, READY = true, QUEUED = true},
}

local function record_key(id) return P .. 'record:' .. id end

-- The user whose download it is; nil for the owner of the server. It never changes, and is stored beside the record,
-- since a process of version 2.0 would drop it from there.
local function owner_of(id) return redis.call('HGET', record_key(id), 'owner') or nil end

local function publish(channel, topic) redis.call('PUBLISH', channel, topic) end

-- `waiting` has the owner of each job in the queue, so that workers can serve people in turn.
local function enqueue(job, owner)
  redis.call('SET', job.key, job.blob)
  redis.call('ZADD', job.queue, job.score, job.id)
  redis.call('HSET', P .. 'waiting', job.id, owner or '')
end

-- arq's own keys of a job are deleted with it, so that those of a dead worker don't hide the next job.
local function dequeue(job)
  redis.call('ZREM', job.queue, job.id)
  redis.call('DEL', job.key, job.mark, job.tries)
  redis.call('HDEL', P .. 'waiting', job.id)
end

-- The queue is full for who has something in it already: nobody's many keep out somebody else's first one.
local function is_full(limit, owner)
  if redis.call('ZCARD', P .. 'state:QUEUED') < limit then return false end
  for _, other in ipairs(redis.call('HVALS', P .. 'waiting')) do
    if other == (owner or '') then return true end
  end
  return false
end

local function set_current(same, id)
  redis.call('SET', P .. 'same:' .. same, id)
end

local function clear_current(same, id)
  if redis.call('GET', P .. 'same:' .. same) == id then redis.call('DEL', P .. 'same:' .. same) end
end

-- A file name belongs to one album at a time; several downloads of that album may share it.
local function is_taken(stem, album)
  for _, owner in ipairs(redis.call('HVALS', P .. 'name:' .. stem)) do
    if owner ~= album then return true end
  end
  return false
end

local function mark_for_deletion(keys)
  for _, key in ipairs(keys) do redis.call('SADD', P .. 'trash', key) end
end
