-- Limit how many jobs of a task run at once. A running job has a lease, which its worker renews, and which
-- expires when that worker dies. A job above the limit is held: to RQ it is a scheduled job, so that RQ's
-- scheduler enqueues it again should every worker of ours be gone. When a lease ends, a held job goes to the
-- front of its queue.
--
-- KEYS  1 limits; but for "wake":  2 running  3 held
-- ARGV  1 the action: "take", "renew", "release" or "wake"
--       2 prefix of the keys of running jobs  3 prefix of those of held jobs
--       4 TTL of held jobs in seconds  5 what the keys of jobs begin with
--       but for "wake":  6 task  7 its limit  8 length of a lease in milliseconds  9 job  10 worker
--       for "take":  11 queue  12 since when the job waits, in seconds since 1970
--                    13 seconds until RQ's scheduler may have it
--
-- Returns  take     1 where the job has a lease, 0 where it is held or its hash is gone
--          renew    1 where its lease was valid, 0 where it had ended
--          release  how many held jobs were released, to their queues or to their rate limit, and these
--                   limits
--          wake     likewise
local LIMITS, RUNNING, HELD = unpack(KEYS)
local ACTION, RUNNING_PREFIX, HELD_PREFIX, TTL, JOBS = unpack(ARGV, 1, 5)
local TASK, LIMIT, LEASE, ID, WORKER, QUEUE, SINCE, AGAIN = unpack(ARGV, 6, 13)

-- The server's time, so that leases end alike for all workers.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- The owners of a task's valid leases by job, and how many there are; ended leases are deleted.
local function leases(running)
  local owners, count = {}, 0
  local all = redis.call('HGETALL', running)
  for at = 1, #all, 2 do
    local ends, owner = string.match(all[at + 1], '^(%d+) (.*)$')
    if tonumber(ends) > now then
      owners[all[at]], count = owner, count + 1
    else
      redis.call('HDEL', running, all[at])
    end
  end
  return owners, count
end

local function give()
  redis.call('HSET', RUNNING, ID, string.format('%d %s', now + LEASE, WORKER))
  redis.call('PEXPIRE', RUNNING, LEASE)
  redis.call('HSET', LIMITS, TASK, LIMIT)
  redis.call('EXPIRE', LIMITS, TTL)
end

local function hold()
  local job, name = JOBS .. ID, string.sub(QUEUE, #RQ + #'queue:' + 1)
  redis.call('LREM', QUEUE .. ':intermediate', 1, ID)
  if redis.call('EXISTS', job) == 0 then return end
  local due, left = math.floor(now / 1000) + AGAIN, redis.call('PTTL', job)
  -- RQ restarts the TTL of a job when it enqueues it, so a job that expires stays here.
  if left > 0 then due = math.max(due, math.floor((now + left) / 1000) + 1) end
  redis.call('HSET', job, 'status', 'scheduled')
  redis.call('ZADD', RQ .. 'scheduled:' .. name, due, ID)
  redis.call('ZADD', HELD, SINCE, ID)
  redis.call('EXPIRE', HELD, TTL)
  redis.call('HSET', LIMITS, TASK, LIMIT)
  redis.call('EXPIRE', LIMITS, TTL)
end

local rates = {}

-- Release the held jobs that have waited longest, as many as the limit has room for.
local function wake(task, running, held, limit)
  local _, count = leases(running)
  local released, woken = {}, 0
  while woken < limit - count do
    local id, since = unpack(redis.call('ZPOPMIN', held))
    if not id then break end
    local job = JOBS .. id
    local status, queue, rate = unpack(redis.call('HMGET', job, 'status', 'origin', 'rate_limit_key'))
    -- Otherwise it was deleted, or RQ's scheduler was quicker.
    if status == 'scheduled' and redis.call('ZREM', RQ .. 'scheduled:' .. queue, id) == 1 then
      woken = woken + 1
      -- RQ may have given its slot under the rate limit to another job meanwhile.
      if rate and not redis.call('ZSCORE', RQ .. 'rl:' .. rate .. ':allowed', id) then
        redis.call('HSET', job, 'status', 'rate_limited', 'enqueue_at_front', 1)
        redis.call('ZADD', RQ .. 'rl:' .. rate .. ':rate_limited', since, id)
        rates[#rates + 1] = rate
      else
        redis.call('HSET', job, 'status', 'queued')
        table.insert(released, 1, { id, RQ .. 'queue:' .. queue })
      end
    end
  end
  for _, job in ipairs(released) do redis.call('LPUSH', job[2], job[1]) end
  if count == 0 and redis.call('EXISTS', held) == 0 then redis.call('HDEL', LIMITS, task) end
  return woken
end

if ACTION == 'wake' then
  local woken, all = 0, redis.call('HGETALL', LIMITS)
  for at = 1, #all, 2 do
    woken = woken + wake(all[at], RUNNING_PREFIX .. all[at], HELD_PREFIX .. all[at], tonumber(all[at + 1]))
  end
  return { woken, rates }
end

local owners, count = leases(RUNNING)
if ACTION == 'take' then
  -- A job that already has a lease is run again after its worker died.
  if owners[ID] or count < tonumber(LIMIT) then
    give()
    redis.call('ZREM', HELD, ID)
    return 1
  end
  hold()
  return 0
elseif ACTION == 'renew' then
  -- A job that ended meanwhile gave its lease back, and needs none.
  if redis.call('EXISTS', RQ .. 'executions:' .. ID) == 0 then return 1 end
  -- The lease of a job that another worker runs by now belongs to that worker.
  if not owners[ID] or owners[ID] == WORKER then give() end
  return owners[ID] and 1 or 0
end
if owners[ID] == WORKER then redis.call('HDEL', RUNNING, ID) end
return { wake(TASK, RUNNING, HELD, tonumber(LIMIT)), rates }
