-- Delete a job wherever it waits or lies, with all that RQ keeps of it; not one that runs, nor one that
-- others wait for.
--
-- KEYS  1 the job   ARGV  1 its id
-- Returns "gone", or why not: "unknown", "started", "needed"; and the rate limit of one that is gone, or "".
local JOB, ID = KEYS[1], ARGV[1]
local fields = redis.call('HMGET', JOB, 'status', 'origin', 'group_id', 'data', 'rate_limit_key')
if not fields[1] and not fields[4] then return { 'unknown', '' } end
if fields[1] == 'started' then return { 'started', '' } end
for _, id in ipairs(redis.call('SMEMBERS', JOB .. ':dependents')) do
  if redis.call('EXISTS', RQ .. 'job:' .. id) == 1 then return { 'needed', '' } end
end
local queue = fields[2] or ''
if redis.call('TYPE', RQ .. 'queue:' .. queue).ok == 'list' then
  redis.call('LREM', RQ .. 'queue:' .. queue, 0, ID)
end
for _, registry in ipairs({ 'scheduled', 'deferred', 'ready', 'finished', 'failed', 'canceled' }) do
  redis.call('ZREM', RQ .. registry .. ':' .. queue, ID)
end
if fields[3] and fields[3] ~= '' then redis.call('SREM', RQ .. 'group:' .. fields[3], ID) end
redis.call('DEL', JOB, JOB .. ':dependents', JOB .. ':dependencies', RQ .. 'results:' .. ID)
local limit = fields[5] or ''
if limit == '' then
  redis.call('DEL', RQ .. 'executions:' .. ID)
else
  -- One that was canceled may run all the same, and by its execution RQ knows that its place is taken.
  redis.call('ZREM', RQ .. 'rl:' .. limit .. ':rate_limited', ID)
end
return { 'gone', limit }
