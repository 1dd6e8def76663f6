-- Delete a job from its queue and its registries, with all that RQ keeps of it; not one that runs, nor one
-- that others depend on.
--
-- KEYS  1 the job   ARGV  1 its id
-- Returns "gone", or why not: "unknown", "started", "needed"; and the rate limit of a deleted job, or "".
local JOB, ID = KEYS[1], ARGV[1]
local status, queue, group, data, limit =
  unpack(redis.call('HMGET', JOB, 'status', 'origin', 'group_id', 'data', 'rate_limit_key'))
if not status and not data then return { 'unknown', '' } end
if status == 'started' then return { 'started', '' } end
for _, id in ipairs(redis.call('SMEMBERS', JOB .. ':dependents')) do
  if redis.call('EXISTS', RQ .. 'job:' .. id) == 1 then return { 'needed', '' } end
end
queue, limit = queue or '', limit or ''
if redis.call('TYPE', RQ .. 'queue:' .. queue).ok == 'list' then
  redis.call('LREM', RQ .. 'queue:' .. queue, 0, ID)
end
for _, registry in ipairs({ 'scheduled', 'deferred', 'ready', 'finished', 'failed', 'canceled' }) do
  redis.call('ZREM', RQ .. registry .. ':' .. queue, ID)
end
if group and group ~= '' then redis.call('SREM', RQ .. 'group:' .. group, ID) end
redis.call('DEL', JOB, JOB .. ':dependents', RQ .. 'job::' .. ID .. ':dependencies', RQ .. 'results:' .. ID)
if limit == '' then
  redis.call('DEL', RQ .. 'executions:' .. ID)
else
  -- A canceled job may still run, and RQ counts it against the limit by its execution.
  redis.call('ZREM', RQ .. 'rl:' .. limit .. ':rate_limited', ID)
end
return { 'gone', limit }
