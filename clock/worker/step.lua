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
--       12 how many commands write the end, and where there are any:
--       13 execution that ends  14 its queue's registry of started jobs  15 its entry there
--       16 dependents of its job, "" where they do not matter  17.. the commands, each after the number of its words
--
-- Returns  1 "" or what became of the end: ended, overtaken (somebody judged this child dead: nothing is
--            written), dependents (there are some: RQ must end it, nothing is written)
--          2 job, empty, suspended, more (many ids without a job; ask again), none (nothing was to be taken)
--          3 the queue  4 job id  5 the job's hash  6 queues that are not lists
--          7 errors of commands
local owner, step, now, text = ARGV[1], ARGV[4], ARGV[5], ARGV[6]
local name, kept, keeps = ARGV[7], tonumber(ARGV[8]), ARGV[11]
local commands = tonumber(ARGV[12])
local wrong, errors = {}, {}

local function keep(what) return string.find(keeps, what, 1, true) ~= nil end

if ARGV[10] == '1' then
  local before = redis.call('HMGET', KEYS[3], 'step', 'ended', 'found', 'queue', 'job')
  if before[1] == step then
    local hash = {}
    if before[5] ~= '' then hash = redis.call('HGETALL', RQ .. 'job:' .. before[5]) end
    return { before[2], before[3], before[4], before[5], hash, {}, {} }
  end
end

-- The first write: a server without memory refuses it, and with it all that follows.
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])

local function finish()
  local holder = redis.call('HGET', ARGV[13], 'clock_worker')
  if holder ~= owner and (holder or not redis.call('ZSCORE', ARGV[14], ARGV[15])) then return 'overtaken' end
  if ARGV[16] ~= '' and redis.call('EXISTS', ARGV[16]) == 1 then return 'dependents' end
  local at = 17
  for _ = 1, commands do
    local words = tonumber(ARGV[at])
    -- As in a transaction, an error of one does not keep the others from being written.
    local reply = 0
    if ARGV[at + 1] == 'MEASURE' then
      measure({ ARGV[at + 2] }, { unpack(ARGV, at + 3, at + words) })
    else
      reply = redis.pcall(unpack(ARGV, at + 1, at + words))
    end
    if type(reply) == 'table' and reply.err then errors[#errors + 1] = ARGV[at + 1] .. ': ' .. reply.err end
    at = at + words + 1
  end
  return 'ended'
end

local function begin(queue, id, key)
  local entry = id .. ':' .. step
  local execution = RQ .. 'execution:' .. entry
  redis.call('HSET', key, 'status', 'started', 'started_at', text, 'last_heartbeat', text, 'worker_name', name)
  redis.call('PERSIST', key)
  redis.call('HSET', execution, 'id', step, 'created_at', now, 'last_heartbeat', now, 'clock_worker', owner)
  if keep('j') then redis.call('HSET', execution, 'job_id', id) end
  if keep('w') then redis.call('HSET', execution, 'worker_name', name) end
  redis.call('EXPIRE', execution, kept)
  local executions = RQ .. 'executions:' .. id
  redis.call('ZADD', executions, now + kept + 60, step)
  redis.call('EXPIRE', executions, kept + 60)
  redis.call('ZADD', RQ .. 'wip:' .. string.sub(queue, #RQ + 7), now + kept, entry)
  if keep('x') then
    local own = KEYS[1] .. ':executions'
    redis.call('SADD', own, entry)
    redis.call('EXPIRE', own, kept + 60)
  end
  redis.call('HSET', KEYS[1], 'state', 'busy')
  if keep('c') then redis.call('HSET', KEYS[1], 'current_job', id, 'current_job_working_time', 0) end
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
      local key = RQ .. 'job:' .. id
      if redis.call('TYPE', key).ok == 'hash' then
        begin(KEYS[place], id, key)
        return 'job', KEYS[place], id, redis.call('HGETALL', key)
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
  if not keep('x') or redis.call('SCARD', KEYS[1] .. ':executions') == 0 then
    redis.call('HSET', KEYS[1], 'state', found == 'suspended' and found or 'idle')
  end
end
redis.call('HSET', KEYS[3], 'step', step, 'ended', ended, 'found', found, 'queue', queue, 'job', id)
redis.call('EXPIRE', KEYS[3], 120)
return { ended, found, queue, id, hash, wrong, errors }
