-- Move delayed jobs that are due to their queues: looked at and moved in one step, which RQ's own
-- scheduler cannot do. Where that one holds the lock of a queue, its delayed jobs are left to it.
-- Move jobs too whose dependencies have ended, and which RQ 3 has left between: of several processes that
-- enqueue at once, RQ lets all but one give up until its maintenance, ten minutes later.
--
-- KEYS  1 RQ's set of queues  then for each queue four:  its registry of scheduled jobs  the lock of
--       RQ's scheduler  its registry of ready jobs  the queue
-- ARGV  1 now (seconds)  2 now (as RQ writes it)  3 how many of a queue  4 time limit of a job without one
--       5 what the keys of jobs begin with
--
-- Returns  1 how many were moved  2 the delayed jobs with a rate limit, which RQ must move, each after the
--          number of its queue, from 1  3 the ready ones, likewise
local now, written, most, limit = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local moved, limited, ready_limited = 0, {}, {}

local function filled(value) return value and value ~= '' end

local function move(id, key, queue)
  local job = redis.call('HMGET', key, 'enqueue_at_front', 'enqueue_at_front_on_retry', 'ended_at', 'ttl', 'timeout')
  redis.call('HSET', key, 'status', 'queued', 'enqueued_at', written)
  if not job[5] then redis.call('HSET', key, 'timeout', limit) end
  local ttl = tonumber(job[4] or '')
  if ttl and ttl > 0 then
    redis.call('EXPIRE', key, ttl)
    redis.call('EXPIRE', key .. ':dependents', ttl)
    redis.call('EXPIRE', ARGV[5] .. ':' .. id .. ':dependencies', ttl)
  end
  local front = job[1] == '1' or (job[2] == '1' and filled(job[3]))
  redis.call('SADD', KEYS[1], queue)
  redis.call(front and 'LPUSH' or 'RPUSH', queue, id)
  moved = moved + 1
end

local function move_delayed(number, registry, queue)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', registry, 0, now, 'LIMIT', 0, most)) do
    local key = ARGV[5] .. id
    local is_job = redis.call('TYPE', key).ok == 'hash'
    if is_job and filled(redis.call('HGET', key, 'rate_limit_key')) then
      limited[#limited + 1] = number
      limited[#limited + 1] = id
    else
      redis.call('ZREM', registry, id)
      if is_job then move(id, key, queue) end
    end
  end
end

local function move_ready(number, registry, queue)
  for _, id in ipairs(redis.call('ZRANGE', registry, 0, most - 1)) do
    local key = ARGV[5] .. id
    local status, rate_limit = unpack(redis.call('HMGET', key, 'status', 'rate_limit_key'))
    if status == 'ready_to_enqueue' and filled(rate_limit) then
      ready_limited[#ready_limited + 1] = number
      ready_limited[#ready_limited + 1] = id
    else
      redis.call('ZREM', registry, id)
      if status == 'ready_to_enqueue' then move(id, key, queue) end
    end
  end
end

for at = 2, #KEYS, 4 do
  local delayed, lock, ready, queue = unpack(KEYS, at, at + 3)
  local number = (at + 2) / 4
  if redis.call('EXISTS', lock) == 0 then move_delayed(number, delayed, queue) end
  move_ready(number, ready, queue)
end
return { moved, limited, ready_limited }
