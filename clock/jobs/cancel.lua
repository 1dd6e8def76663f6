-- Cancel a job that waits, as RQ does; one that runs or has ended is left alone.
--
-- KEYS  1 the job   ARGV  1 its id
-- Returns  1 whether it waited, 1 or 0  2 the rate limit of a cancelled job, or ""
local JOB, ID = KEYS[1], ARGV[1]
local status, queue, limit = unpack(redis.call('HMGET', JOB, 'status', 'origin', 'rate_limit_key'))
local registries = { created = '', queued = '', rate_limited = '', scheduled = 'scheduled', deferred = 'deferred',
  ready_to_enqueue = 'ready' }
local registry = registries[status or '']
if not registry or not queue then return { 0, '' } end
if registry ~= '' then
  redis.call('ZREM', RQ .. registry .. ':' .. queue, ID)
elseif redis.call('TYPE', RQ .. 'queue:' .. queue).ok == 'list' then
  redis.call('LREM', RQ .. 'queue:' .. queue, 1, ID)
end
if limit and limit ~= '' then redis.call('ZREM', RQ .. 'rl:' .. limit .. ':rate_limited', ID) end
redis.call('HSET', JOB, 'status', 'canceled')
redis.call('ZADD', RQ .. 'canceled:' .. queue, redis.call('TIME')[1], ID)
return { 1, limit or '' }
