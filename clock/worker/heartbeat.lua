-- Say that a worker and its children live, to us and to RQ; and that what each child runs is its.
--
-- KEYS  1 the worker's heartbeat  2 the worker's hash  3 the lock of the reaper
-- ARGV  1 the worker, as NAME.TOKEN  2 text of the heartbeats  3 their seconds
--       4 now (seconds)  5 now (as RQ writes it)  6 seconds RQ keeps a worker  7 seconds RQ keeps an execution
--       8 1 to try for the lock of the reaper  9 seconds between two of its looks
--       10 what the keys of heartbeats begin with  11 what the keys of jobs begin with
--       12 how many words of further fields of the worker's hash, then these
--       then for each execution of a child, or for a child that has none, five:
--       child, as NAME.TOKEN  job, or "" for none  execution  queue  when it began (seconds)
--
-- Returns  1 1 where the heartbeat before this one was still there  2 1 where RQ knows the worker
--          3 1 where this worker is to look for abandoned jobs  4 the executions that were taken from us
local text, lasts, now, written = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local kept, prefix, jobs = tonumber(ARGV[7]), ARGV[10], ARGV[11]

-- A worker that has registered its death ends without heartbeats: this one was on its way meanwhile.
if redis.call('HGET', KEYS[2], 'death') then return { 1, 1, 0, {} } end

local had = redis.call('EXISTS', KEYS[1])
redis.call('SET', KEYS[1], text, 'EX', lasts)

local known = redis.call('EXISTS', KEYS[2])
if known == 1 then
  redis.call('HSET', KEYS[2], 'last_heartbeat', written, unpack(ARGV, 13, 12 + ARGV[12]))
  redis.call('EXPIRE', KEYS[2], ARGV[6])
  redis.call('EXPIRE', KEYS[2] .. ':executions', ARGV[6])
end

local overtaken = {}
for at = 13 + ARGV[12], #ARGV, 5 do
  local child, job, execution, queue, began = unpack(ARGV, at, at + 4)
  redis.call('SET', prefix .. child, text, 'EX', lasts)
  local hash = jobs .. job
  if job ~= '' and redis.call('HGET', hash, 'clock_overtaken') == execution then
    overtaken[#overtaken + 1] = execution
  elseif job ~= '' then
    local entry = job .. ':' .. execution
    local registry, key = RQ .. 'wip:' .. queue, RQ .. 'execution:' .. entry
    -- Where the server was away for longer than RQ keeps an execution, it is written again: without it
    -- nobody could tell whose the job is.
    if redis.call('ZSCORE', registry, entry) then
      redis.call('HSET', key, 'clock_worker', child, 'last_heartbeat', now)
      if redis.call('HSETNX', key, 'created_at', began) == 1 then
        redis.call('HSET', key, 'id', execution, 'worker_name', string.match(child, '^(.*)%.'))
      end
      redis.call('EXPIRE', key, kept)
      redis.call('ZADD', registry, 'XX', now + kept, entry)
      redis.call('ZADD', RQ .. 'executions:' .. job, 'XX', now + kept + 60, execution)
      redis.call('EXPIRE', RQ .. 'executions:' .. job, kept + 60)
      if redis.call('EXISTS', hash) == 1 then redis.call('HSET', hash, 'last_heartbeat', written) end
    end
  end
end

local turn = 0
if ARGV[8] == '1' and redis.call('SET', KEYS[3], ARGV[1], 'NX', 'EX', ARGV[9]) then turn = 1 end
return { had, known, turn, overtaken }
