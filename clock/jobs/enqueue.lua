-- Enqueue a job, unless it exists or, where it is unique, another one stands for it. A script runs alone and
-- whole, so a job and the guard of its uniqueness are written together. What could fail (a queue's key of
-- another type) is checked before anything is written.
--
-- KEYS  1 the job  2 its queue  3 RQ's set of queues  4 the registry of scheduled jobs of its queue
--       5 when it expires  6 the guard, where it is to be unique
--       then, for a request with an idempotency key, the jobs that it would have made before
-- ARGV  1 its id  2 LPUSH or RPUSH  3 when it is due in seconds since 1970, "-" for now
--       4 in how many milliseconds it expires, "-" for never
--       5 how many milliseconds to remember when it expires, "-" for not at all
--       6 until when the guard holds: "waiting", "unfinished" or "time"; "-" for no guard
--       7 the guard's TTL in milliseconds
--       8 the request: its idempotency key and a digest of the rest; "-" for one without a key
--       9 to 11 where it is counted: the key of a hash, its field, and the TTL in milliseconds
--       to set with a new one
--       then the fields of the job: name, value, ...
--
-- Returns the id of the job, or of the one that stands for it, after "+" where this call enqueued it and "="
-- where it did not; "q" where the queue's key holds another type; "!" where the idempotency key was used for
-- a different request.
local JOB, QUEUE, QUEUES, SCHEDULED, EXPIRES = unpack(KEYS)
local ID, SIDE, DUE, TTL, REMEMBERED_FOR, UNTIL, GUARDED_FOR, REQUEST = unpack(ARGV, 1, 8)
local GUARD = UNTIL ~= '-' and KEYS[6]

-- A started job whose worker sends no more heartbeats has no execution left: RQ will fail it or, where it
-- has retries, run it again.
local function is_unfinished(job_id, status)
  if status ~= 'started' then return false end
  local execution = redis.call('ZREVRANGE', RQ .. 'executions:' .. job_id, 0, 0)[1]
  if execution and redis.call('EXISTS', RQ .. 'execution:' .. job_id .. ':' .. execution) == 1 then
    return true
  end
  return (tonumber(redis.call('HGET', RQ .. 'job:' .. job_id, 'retries_left') or '') or 0) > 0
end

local function guards(job_id)
  if UNTIL == 'time' then return true end
  local status = redis.call('HGET', RQ .. 'job:' .. job_id, 'status')
  if status == 'queued' or status == 'deferred' or status == 'scheduled' or status == 'rate_limited'
    or status == 'ready_to_enqueue' then return true end
  return UNTIL == 'unfinished' and is_unfinished(job_id, status)
end

if REQUEST ~= '-' then
  local key = string.match(REQUEST, '^%S+ ')
  for i = GUARD and 7 or 6, #KEYS do
    local earlier = redis.call('HGET', KEYS[i], 'clock_request')
    -- A job of another request conflicts only where it has this id.
    local is_same_key = KEYS[i] == JOB or (earlier and string.sub(earlier, 1, #key) == key)
    if earlier and earlier ~= REQUEST and is_same_key then return '!' end
  end
end
local type_ = redis.call('TYPE', QUEUE).ok
if type_ ~= 'list' and type_ ~= 'none' then return 'q' end
if redis.call('EXISTS', JOB) == 1 then return '=' .. ID end
if GUARD then
  local holder = redis.call('GET', GUARD)
  if holder and guards(holder) then return '=' .. holder end
  redis.call('SET', GUARD, ID, 'PX', GUARDED_FOR)
end

redis.call('HSET', JOB, unpack(ARGV, 12))
local state, dependencies, may_fail, group, limit, places = unpack(redis.call('HMGET', JOB, 'status',
  'dependency_ids', 'allow_dependency_failures', 'group_id', 'rate_limit_key', 'rate_limit_concurrency'))
dependencies = dependencies and cjson.decode(dependencies) or {}
-- To RQ too, a job that is gone has finished.
for _, id in ipairs(dependencies) do
  local status = redis.call('HGET', RQ .. 'job:' .. id, 'status')
  if status and status ~= 'finished' and not (status == 'failed' and may_fail == '1') then state = 'deferred' end
end
if state == 'deferred' then
  redis.call('HSET', JOB, 'status', state)
  redis.call('HDEL', JOB, 'enqueued_at')
  for _, id in ipairs(dependencies) do
    redis.call('SADD', RQ .. 'job:' .. id .. ':dependents', ID)
    redis.call('SADD', RQ .. 'job::' .. ID .. ':dependencies', id)
  end
end
if group and group ~= '' then
  redis.call('SADD', RQ .. 'group:' .. group, ID)
  redis.call('SADD', RQ .. 'groups', group)
end
if TTL ~= '-' then
  redis.call('PEXPIRE', JOB, TTL)
  if #dependencies > 0 then redis.call('PEXPIRE', RQ .. 'job::' .. ID .. ':dependencies', TTL) end
end
if REMEMBERED_FOR ~= '-' then
  -- By the server's clock, like the expiry itself.
  local time = redis.call('TIME')
  local at = string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000) + TTL)
  redis.call('SET', EXPIRES, at, 'PX', REMEMBERED_FOR)
end
redis.call('SADD', QUEUES, QUEUE)
if state == 'scheduled' then
  redis.call('ZADD', SCHEDULED, DUE, ID)
elseif state == 'deferred' then
  redis.call('ZADD', RQ .. 'deferred:' .. string.sub(QUEUE, #RQ + #'queue:' + 1), redis.call('TIME')[1], ID)
elseif state == 'rate_limited' then
  -- RQ's own script, in the same transaction, gives it a place if there is one.
  redis.call('SADD', RQ .. 'rl-keys', limit)
  redis.call('HSET', RQ .. 'rl:' .. limit, 'concurrency', places)
  redis.call('ZADD', RQ .. 'rl:' .. limit .. ':rate_limited', redis.call('TIME')[1], ID)
else
  redis.call(SIDE, QUEUE, ID)
end
-- No error, and not among KEYS: a user with the rights that 0.1.0 needed may not write it.
if redis.pcall('HINCRBY', ARGV[9], ARGV[10], 1) == 1 then redis.pcall('PEXPIRE', ARGV[9], ARGV[11]) end
return '+' .. ID
