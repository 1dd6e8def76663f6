-- End what a child of a worker ran last, and take its next job: one step, so that no process can die
-- between taking a job and marking it as started.
--
-- KEYS  1 the worker's hash  2 the child's heartbeat  3 the record of its last step  4 RQ's suspension
--       5.. the queues, in their order
-- ARGV  1 the child, as NAME.TOKEN  2 text of its heartbeat  3 seconds of its heartbeat
--       4 id of the step, which becomes the id of the execution  5 now (seconds)  6 now (as RQ writes it)
--       7 the worker's name  8 seconds RQ keeps an execution  9 1 to take a job, else 0
--       10 1 where the reply to this step was lost, else 0
--       11 what this RQ keeps: j job of an execution, w its worker, x executions of a worker,
--          c current job of a worker
--       12 what the keys of jobs begin with  13.. the name of each queue
--       then how many commands write the end, and where there are any:
--       the execution that ends  its queue's registry of started jobs  its entry there
--       its job, "" where its dependents do not matter  how many of the commands are only for a job that is still there
--       the commands, each after the number of its words
--
-- Returns  1 "" or what became of the end: ended, overtaken (somebody judged this child dead: nothing is
--            written), dependents (there are some: RQ must end it, nothing is written)
--          2 job, empty, suspended, more (many ids without a job; ask again), none (nothing was to be taken)
--          3 the queue's name  4 job id  5 the job's hash  6 queues that are not lists
--          7 errors of commands
local owner, step, now, text = ARGV[1], ARGV[4], ARGV[5], ARGV[6]
local name, kept, keeps = ARGV[7], tonumber(ARGV[8]), ARGV[11]
local jobs, last = ARGV[12], 9 + #KEYS
local commands = tonumber(ARGV[last])
local wrong, errors = {}, {}

local function keep(what) return string.find(keeps, what, 1, true) ~= nil end

if ARGV[10] == '1' then
  local before = redis.call('HMGET', KEYS[3], 'step', 'ended', 'found', 'queue', 'job')
  if before[1] == step then
    local _, ended, found, queue, id = unpack(before)
    local hash = {}
    if found == 'job' then
      -- The reply may be late by so much that the job is another's by now.
      if redis.call('HGET', RQ .. 'execution:' .. id .. ':' .. step, 'clock_worker') ~= owner then
        return { ended, 'more', '', '', {}, {}, {} }
      end
      redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
      hash = redis.call('HGETALL', jobs .. id)
    end
    return { ended, found, queue, id, hash, {}, {} }
  end
end

-- The first write: a server without memory refuses it, and with it all that follows.
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])

local function finish()
  local execution, registry, entry, job, of_job = unpack(ARGV, last + 1, last + 5)
  local holder = redis.call('HGET', execution, 'clock_worker')
  if holder ~= owner and (holder or not redis.call('ZSCORE', registry, entry)) then return 'overtaken' end
  if job ~= '' and redis.call('EXISTS', job .. ':dependents') == 1 then return 'dependents' end
  -- A job that was deleted while it ran must not come back as half a hash.
  local skipped = tonumber(of_job)
  if skipped > 0 and redis.call('EXISTS', job) == 1 then skipped = 0 end
  local at = last + 6
  for number = 1, commands do
    local words = tonumber(ARGV[at])
    -- As in a transaction, an error of one does not keep the others from being written.
    local reply = 0
    if number <= skipped then
      reply = 0
    elseif ARGV[at + 1] == 'MEASURE' then
      measure({ ARGV[at + 2] }, { unpack(ARGV, at + 3, at + words) })
    else
      reply = redis.pcall(unpack(ARGV, at + 1, at + words))
    end
    if type(reply) == 'table' and reply.err then errors[#errors + 1] = ARGV[at + 1] .. ': ' .. reply.err end
    at = at + words + 1
  end
  return 'ended'
end

-- The job is off its queue by now: a key of another type must not keep it from its run.
local function begin(queue, id, key)
  local entry = id .. ':' .. step
  local execution = RQ .. 'execution:' .. entry
  redis.pcall('HSET', key, 'status', 'started', 'started_at', text, 'last_heartbeat', text, 'worker_name', name)
  redis.pcall('PERSIST', key)
  redis.pcall('HSET', execution, 'id', step, 'created_at', now, 'last_heartbeat', now, 'clock_worker', owner)
  if keep('j') then redis.pcall('HSET', execution, 'job_id', id) end
  if keep('w') then redis.pcall('HSET', execution, 'worker_name', name) end
  redis.pcall('EXPIRE', execution, kept)
  local executions = RQ .. 'executions:' .. id
  redis.pcall('ZADD', executions, now + kept + 60, step)
  redis.pcall('EXPIRE', executions, kept + 60)
  redis.pcall('ZADD', RQ .. 'wip:' .. queue, now + kept, entry)
  if keep('x') then
    local own = KEYS[1] .. ':executions'
    redis.pcall('SADD', own, entry)
    redis.pcall('EXPIRE', own, kept + 60)
  end
  redis.pcall('HSET', KEYS[1], 'state', 'busy')
  if keep('c') then redis.pcall('HSET', KEYS[1], 'current_job', id, 'current_job_working_time', 0) end
end

local function take()
  if redis.call('EXISTS', KEYS[4]) == 1 then return 'suspended', '', '', {} end
  local looked = 0
  for place = 5, #KEYS do
    while true do
      local id = redis.pcall('LPOP', KEYS[place])
      if type(id) == 'table' then
        wrong[#wrong + 1] = KEYS[place]
        break
      end
      if not id then break end
      local key, queue = jobs .. id, ARGV[place + 8]
      if redis.call('TYPE', key).ok == 'hash' then
        begin(queue, id, key)
        return 'job', queue, id, redis.call('HGETALL', key)
      end
      looked = looked + 1
      if looked == 1000 then return 'more', '', '', {} end
    end
  end
  -- Read, so that the server tells this connection when one of them changes.
  redis.call('EXISTS', unpack(KEYS, 5))
  return 'empty', '', '', {}
end

local ended, found, queue, id, hash = '', 'none', '', '', {}
if commands > 0 then ended = finish() end
if ARGV[9] == '1' and ended ~= 'dependents' then found, queue, id, hash = take() end
if found ~= 'job' then
  local running = keep('x') and redis.pcall('SCARD', KEYS[1] .. ':executions')
  if not running or running == 0 then
    redis.pcall('HSET', KEYS[1], 'state', found == 'suspended' and found or 'idle')
  end
end
redis.call('HSET', KEYS[3], 'step', step, 'ended', ended, 'found', found, 'queue', queue, 'job', id)
-- A reply may be lost for as long as the server is out of reach.
redis.call('EXPIRE', KEYS[3], 86400)
return { ended, found, queue, id, hash, wrong, errors }
