-- How many jobs of a task run at once: each holds a lease, which its worker keeps renewing, and which
-- ends by itself when that worker dies. A job for which there is no place is held: to RQ it is a
-- scheduled one, so that RQ's scheduler puts it on its queue again should every worker that could
-- give it a place be gone; and it goes to the front of its queue when a lease ends.
--
-- KEYS  1 limits; but for "wake":  2 running  3 held
-- ARGV  1 what is asked: "take", "renew", "release" or "wake"
--       2 what the keys of running jobs begin with  3 what those of held ones begin with
--       4 TTL of what is held in seconds
--       but for "wake":  5 task  6 its limit  7 length of a lease in milliseconds  8 job  9 worker
--       for "take":  10 queue  11 since when the job waits, in seconds since 1970
--                    12 seconds until RQ's scheduler may have it
--
-- Returns  take     1 where the job has a place, 0 where it is held or its hash is gone
--          renew    1 where there still was a lease, 0 where it had ended
--          release  how many held jobs were let go, to their queues or to wait for a place under their
--                   rate limit, and these limits; wake likewise
local LIMITS, RUNNING, HELD = unpack(KEYS)
local ASKED, RUNNING_OF, HELD_OF, TTL = unpack(ARGV, 1, 4)
local TASK, LIMIT, LEASE, ID, WORKER, QUEUE, SINCE, AGAIN = unpack(ARGV, 5, 12)

-- The server's clock: leases end alike for all workers, whatever theirs show.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- The leases of a task that have not ended, which are few, with their owners.
local function leases(running)
  local found, count = {}, 0
  local all = redis.call('HGETALL', running)
  for at = 1, #all, 2 do
    local ends, owner = string.match(all[at + 1], '^(%d+) (.*)$')
    if tonumber(ends) > now then
      found[all[at]], count = owner, count + 1
    else
      redis.call('HDEL', running, all[at])
    end
  end
  return found, count
end

local function give()
  redis.call('HSET', RUNNING, ID, string.format('%d %s', now + LEASE, WORKER))
  redis.call('PEXPIRE', RUNNING, LEASE)
  redis.call('HSET', LIMITS, TASK, LIMIT)
  redis.call('EXPIRE', LIMITS, TTL)
end

local function hold()
  local job, name = RQ .. 'job:' .. ID, string.sub(QUEUE, #RQ + #'queue:' + 1)
  redis.call('LREM', QUEUE .. ':intermediate', 1, ID)
  if redis.call('EXISTS', job) == 0 then return end
  local due, left = math.floor(now / 1000) + AGAIN, redis.call('PTTL', job)
  -- RQ counts the TTL of a job anew when it puts it on a queue, so one that expires stays here.
  if left > 0 then due = math.max(due, math.floor((now + left) / 1000) + 1) end
  redis.call('HSET', job, 'status', 'scheduled')
  redis.call('ZADD', RQ .. 'scheduled:' .. name, due, ID)
  redis.call('ZADD', HELD, SINCE, ID)
  redis.call('EXPIRE', HELD, TTL)
  redis.call('HSET', LIMITS, TASK, LIMIT)
  redis.call('EXPIRE', LIMITS, TTL)
end

local rates = {}

-- Let those go that have waited longest, as many as there are places.
local function wake(task, running, held, limit)
  local _, count = leases(running)
  local going, woken = {}, 0
  while woken < limit - count do
    local id, since = unpack(redis.call('ZPOPMIN', held))
    if not id then break end
    local job = RQ .. 'job:' .. id
    local status, queue, rate = unpack(redis.call('HMGET', job, 'status', 'origin', 'rate_limit_key'))
    -- One that is scheduled no more was deleted, or RQ's scheduler was quicker.
    if status == 'scheduled' and redis.call('ZREM', RQ .. 'scheduled:' .. queue, id) == 1 then
      woken = woken + 1
      -- The place it had under its rate limit may have been given away meanwhile.
      if rate and not redis.call('ZSCORE', RQ .. 'rl:' .. rate .. ':allowed', id) then
        redis.call('HSET', job, 'status', 'rate_limited', 'enqueue_at_front', 1)
        redis.call('ZADD', RQ .. 'rl:' .. rate .. ':rate_limited', since, id)
        rates[#rates + 1] = rate
      else
        redis.call('HSET', job, 'status', 'queued')
        table.insert(going, 1, { id, RQ .. 'queue:' .. queue })
      end
    end
  end
  for _, job in ipairs(going) do redis.call('LPUSH', job[2], job[1]) end
  if count == 0 and redis.call('EXISTS', held) == 0 then redis.call('HDEL', LIMITS, task) end
  return woken
end

if ASKED == 'wake' then
  local woken, all = 0, redis.call('HGETALL', LIMITS)
  for at = 1, #all, 2 do
    woken = woken + wake(all[at], RUNNING_OF .. all[at], HELD_OF .. all[at], tonumber(all[at + 1]))
  end
  return { woken, rates }
end

local owners, count = leases(RUNNING)
if ASKED == 'take' then
  -- A job that already has a lease was taken up again after its worker died.
  if owners[ID] or count < tonumber(LIMIT) then
    give()
    redis.call('ZREM', HELD, ID)
    return 1
  end
  hold()
  return 0
elseif ASKED == 'renew' then
  -- One that has ended meanwhile gave its lease back, and needs none.
  if redis.call('EXISTS', RQ .. 'executions:' .. ID) == 0 then return 1 end
  -- The lease of a job that another worker has taken up meanwhile is that one's.
  if not owners[ID] or owners[ID] == WORKER then give() end
  return owners[ID] and 1 or 0
end
if owners[ID] == WORKER then redis.call('HDEL', RUNNING, ID) end
return { wake(TASK, RUNNING, HELD, tonumber(LIMIT)), rates }
