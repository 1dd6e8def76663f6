-- Put failed jobs back on the queue they came from, each at most once: of two that ask for the same job
-- the second finds it failed no more. A script runs alone and whole, so no job is lost in between.
--
-- KEYS  1 the queue's failed jobs  2 the queue  3 RQ's set of queues
-- ARGV  1 now as RQ writes it  then the ids of jobs
--
-- Returns the number put back and, behind it, their ids; -1 where the queue's key holds something else.
local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'list' and kind ~= 'none' then return { -1 } end
local back = { 0 }
for i = 2, #ARGV do
  local id = ARGV[i]
  local job = 'rq:job:' .. id
  -- A job without a hash has expired; what is left of it in the registry goes with the next clean-up.
  if redis.call('EXISTS', job) == 1 and redis.call('ZREM', KEYS[1], id) == 1 then
    redis.call('HSET', job, 'status', 'queued', 'enqueued_at', ARGV[1], 'started_at', '', 'ended_at', '')
    -- It was to be forgotten a while after it failed; it may have to wait for longer than that.
    redis.call('PERSIST', job)
    redis.call('SADD', KEYS[3], KEYS[2])
    redis.call('RPUSH', KEYS[2], id)
    back[#back + 1] = id
  end
end
back[1] = #back - 1
return back
