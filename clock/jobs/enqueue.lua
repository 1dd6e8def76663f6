-- Enqueue a job, unless it is there already or another stands for it. A script runs alone and whole,
-- so a job and the guard of its uniqueness live and die together; what could fail (a queue's key of
-- another type) is looked at before anything is written.
--
-- KEYS  1 the job  2 its queue  3 RQ's set of queues  4 the registry of scheduled jobs of its queue
--       5 when it expires  6 the guard, where it is to be unique
--       then, where a request with a key asks, the jobs that it made if it came before
-- ARGV  1 its id  2 LPUSH or RPUSH  3 when it is due in seconds since 1970, "-" for now
--       4 in how many milliseconds it expires, "-" for never
--       5 for how many milliseconds from now to say that it did, "-" for never
--       6 what a guard means: "waiting", "unfinished" or "time"  7 its TTL in milliseconds
--       8 the request that asks: its key and a digest of the rest; "-" for one without a key
--       then the fields of the job, each name and value
--
-- Returns the id of the job that is there now, this one or the one that stands for it, behind "+"
-- where this call enqueued it and "=" where it did not; "q" where the queue's key holds something else;
-- "!" where the key of the request came before with another rest.
local JOB, QUEUE, QUEUES, SCHEDULED, EXPIRES = unpack(KEYS)
local ID, SIDE, DUE, TTL, SAID_FOR, KIND, GUARDED_FOR, REQUEST = unpack(ARGV, 1, 8)
local GUARD = KIND ~= '-' and KEYS[6]

-- A started job whose worker no longer sends heartbeats has no execution left: RQ will fail it, or,
-- where it has retries, run it again.
local function is_unfinished(job_id, status)
  if status ~= 'started' then return false end
  local execution = redis.call('ZREVRANGE', RQ .. 'executions:' .. job_id, 0, 0)[1]
  if execution and redis.call('EXISTS', RQ .. 'execution:' .. job_id .. ':' .. execution) == 1 then
    return true
  end
  return (tonumber(redis.call('HGET', RQ .. 'job:' .. job_id, 'retries_left') or '') or 0) > 0
end

local function guards(job_id)
  if KIND == 'time' then return true end
  local status = redis.call('HGET', RQ .. 'job:' .. job_id, 'status')
  if status == 'queued' or status == 'deferred' or status == 'scheduled' or status == 'rate_limited'
    or status == 'ready_to_enqueue' then return true end
  return KIND == 'unfinished' and is_unfinished(job_id, status)
end

if REQUEST ~= '-' then
  local key = string.match(REQUEST, '^%S+ ')
  for i = GUARD and 7 or 6, #KEYS do
    local asked = redis.call('HGET', KEYS[i], 'clock_request')
    -- A job of another request is in the way only where it has this very id.
    local is_same_key = KEYS[i] == JOB or (asked and string.sub(asked, 1, #key) == key)
    if asked and asked ~= REQUEST and is_same_key then return '!' end
  end
end
local kind = redis.call('TYPE', QUEUE).ok
if kind ~= 'list' and kind ~= 'none' then return 'q' end
if redis.call('EXISTS', JOB) == 1 then return '=' .. ID end
if GUARD then
  local holder = redis.call('GET', GUARD)
  if holder and guards(holder) then return '=' .. holder end
  redis.call('SET', GUARD, ID, 'PX', GUARDED_FOR)
end

redis.call('HSET', JOB, unpack(ARGV, 9))
if TTL ~= '-' then redis.call('PEXPIRE', JOB, TTL) end
if SAID_FOR ~= '-' then
  -- By the server's clock, as the expiry itself is.
  local time = redis.call('TIME')
  local at = string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000) + TTL)
  redis.call('SET', EXPIRES, at, 'PX', SAID_FOR)
end
redis.call('SADD', QUEUES, QUEUE)
if DUE == '-' then
  redis.call(SIDE, QUEUE, ID)
else
  redis.call('ZADD', SCHEDULED, DUE, ID)
end
return '+' .. ID
