-- Put failed jobs back on the queue they came from, each at most once: a second call no longer sees the job as
-- failed. A script runs alone and whole, so no job is lost in between.
--
-- KEYS  1 the queue's failed jobs  2 the queue  3 RQ's set of queues
-- ARGV  1 now as RQ writes it  2 now in seconds since 1970  then the ids of jobs
--
-- Returns the ids of the requeued jobs, and the rate limits that some of them wait for; nothing where the
-- queue's key holds another type.
local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'list' and kind ~= 'none' then return false end
local requeued, limits = {}, {}
for i = 3, #ARGV do
  local id = ARGV[i]
  local job = RQ .. 'job:' .. id
  -- A job without a hash has expired; RQ's next clean-up removes its entry in the registry.
  if redis.call('EXISTS', job) == 1 and redis.call('ZREM', KEYS[1], id) == 1 then
    local limit, most = unpack(redis.call('HMGET', job, 'rate_limit_key', 'rate_limit_concurrency'))
    local status = limit and most and 'rate_limited' or 'queued'
    redis.call('HSET', job, 'status', status, 'enqueued_at', ARGV[1], 'started_at', '', 'ended_at', '')
    -- Its failure TTL would expire it, and it may wait for longer than that.
    redis.call('PERSIST', job)
    redis.call('SADD', KEYS[3], KEYS[2])
    if status == 'queued' then
      redis.call('RPUSH', KEYS[2], id)
    else
      redis.call('HSET', job, 'enqueue_at_front', 0)
      redis.call('SADD', RQ .. 'rl-keys', limit)
      redis.call('HSET', RQ .. 'rl:' .. limit, 'concurrency', most)
      redis.call('ZADD', RQ .. 'rl:' .. limit .. ':rate_limited', ARGV[2], id)
      limits[#limits + 1] = limit
    end
    requeued[#requeued + 1] = id
  end
end
return { requeued, limits }
