-- Delete a job wherever it waits or lies, with all that RQ keeps of it; not one that runs, nor one that
-- others wait for.
--
-- KEYS  1 the job   ARGV  1 its id
-- Returns "gone", or why not: "unknown", "started", "needed".
local JOB, ID = KEYS[1], ARGV[1]
local said = redis.call('HMGET', JOB, 'status', 'origin', 'group_id', 'data')
if not said[1] and not said[4] then return 'unknown' end
if said[1] == 'started' then return 'started' end
for _, id in ipairs(redis.call('SMEMBERS', JOB .. ':dependents')) do
  if redis.call('EXISTS', 'rq:job:' .. id) == 1 then return 'needed' end
end
local queue = said[2] or ''
if redis.call('TYPE', 'rq:queue:' .. queue).ok == 'list' then
  redis.call('LREM', 'rq:queue:' .. queue, 0, ID)
end
for _, registry in ipairs({ 'scheduled', 'deferred', 'finished', 'failed', 'canceled' }) do
  redis.call('ZREM', 'rq:' .. registry .. ':' .. queue, ID)
end
if said[3] and said[3] ~= '' then redis.call('SREM', 'rq:group:' .. said[3], ID) end
redis.call('DEL', JOB, JOB .. ':dependents', JOB .. ':dependencies', 'rq:results:' .. ID,
  'rq:executions:' .. ID)
return 'gone'
