-- End what a child of a worker ran last, and take its next job: one step, so that no process can die
-- between taking a job and marking it as started.
--
-- KEYS  1 the worker's hash  2 the child's heartbeat  3 the record of its last step  4 RQ's suspension
--       5.. the queues, in their order
-- Read too: the hash of paused queues, which is no key of the call because ACLs of 0.1.0 need not allow it.
-- ARGV  1 the child, as NAME.TOKEN  2 text of its heartbeat  3 seconds of its heartbeat
--       4 the worker's name  5 seconds RQ keeps an execution
--       6 what this RQ keeps: j job of an execution, w its worker, x executions of a worker,
--         c current job of a worker
--       7 what the keys of jobs begin with  8.. the name of each queue
--       then
--       1 id of the step, which becomes the id of the execution  2 now (seconds)  3 now (as RQ writes it)
--       4 1 to take a job, else 0  5 1 where the reply to this step was lost, else 0
--       6 how the last job ends: "" there is none, "put back" (only its execution ends), "ended" (as the
--         commands say), "succeeded"
--       where it ends:
--       7 its id  8 its execution  9 its queue  10 how many commands only for a job that is still there
--       11 how many commands in all
--       where it succeeded:
--       12 seconds the result is kept, -1 for ever  13 score in the registry of finished jobs
--       14 what was returned, "" for nothing  15 when it began (seconds)  16 when it ended (seconds)
--       17 seconds it took  18 1 where it depends on others, else 0
--       19 how many words of fields of its hash  20.. these
--       then the commands, each after the number of its words
--
-- Returns  1 "" or what became of the end: ended, overtaken (somebody judged this child dead: nothing is
--            written), dependents (there are some: RQ must end it, nothing is written)
--          2 job, again (a job whose reply was lost), empty, suspended, more (many ids without a job; ask again), none (nothing was to be taken)
--          3 the queue's name  4 job id  5 the job's hash; with "job" as it was before it was taken
--          6 queues that are not lists  7 errors of commands
local call, pcall = redis.call, redis.pcall
local owner, name, kept, keeps, jobs = ARGV[1], ARGV[4], tonumber(ARGV[5]), ARGV[6], ARGV[7]
local at = 3 + #KEYS
local step, now, text, may_take, is_again, ends = unpack(ARGV, at + 1, at + 6)
local keeps_job, keeps_worker = string.find(keeps, 'j', 1, true), string.find(keeps, 'w', 1, true)
local keeps_executions = string.find(keeps, 'x', 1, true)
local PAUSED = RQ .. 'clock_paused'
local keeps_current = string.find(keeps, 'c', 1, true)
local wrong, errors = {}, {}

if is_again == '1' then
  local before = call('GET', KEYS[3])
  before = before and cjson.decode(before)
  if before and before.step == step then
    local hash = {}
    if before.found == 'job' then
      -- The reply may be late by so much that the job is another's by now.
      if call('HGET', RQ .. 'execution:' .. before.job .. ':' .. step, 'clock_worker') ~= owner then
        return { before.ended, 'more', '', '', {}, {}, {} }
      end
      call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
      hash = call('HGETALL', jobs .. before.job)
    end
    if before.found == 'job' then before.found = 'again' end
    return { before.ended, before.found, before.queue, before.job, hash, {}, {} }
  end
end

-- The first write: a server without memory refuses it, and with it all that follows.
call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])

-- As in a transaction, an error of one command does not keep the others from being written.
local function run(...)
  local reply = pcall(...)
  if type(reply) == 'table' and reply.err then errors[#errors + 1] = (...) .. ': ' .. reply.err end
end

local function run_all(first, count)
  for _ = 1, count do
    local words = tonumber(ARGV[first])
    if ARGV[first + 1] == 'MEASURE' then
      measure({ ARGV[first + 2] }, { unpack(ARGV, first + 3, first + words) })
    elseif ARGV[first + 1] == 'OUTPUT' then
      keep_output({ unpack(ARGV, first + 2, first + 5) }, { unpack(ARGV, first + 6, first + words) })
    elseif ARGV[first + 1] == 'TRENDS' then
      count_trends({ unpack(ARGV, first + 2, first + words) })
    else
      run(unpack(ARGV, first + 1, first + words))
    end
    first = first + words + 1
  end
  return first
end

local function skip(first, count)
  for _ = 1, count do first = first + tonumber(ARGV[first]) + 1 end
  return first
end

-- What RQ writes of a job that succeeded.
local function succeed(job, id, execution, queue)
  local ttl, score, result, began, over, _, depends, words = unpack(ARGV, at + 12, at + 19)
  local results, dependencies = RQ .. 'results:' .. id, jobs .. ':' .. id .. ':dependencies'
  if ttl == '0' then
    run('DEL', job, RQ .. 'executions:' .. id, job .. ':dependents', dependencies, results)
    return
  end
  run('HSET', job, unpack(ARGV, at + 20, at + 19 + words))
  if result == '' then
    run('XADD', results, 'MAXLEN', '~', 10, '*', 'type', 1, 'worker_name', name,
      'execution_id', execution, 'execution_started_at', began, 'execution_ended_at', over)
  else
    run('XADD', results, 'MAXLEN', '~', 10, '*', 'type', 1, 'worker_name', name, 'return_value', result,
      'execution_id', execution, 'execution_started_at', began, 'execution_ended_at', over)
  end
  run('ZADD', RQ .. 'finished:' .. queue, score, id)
  if ttl == '-1' then
    run('PERSIST', results)
  else
    run('EXPIRE', results, ttl)
    run('EXPIRE', job, ttl)
    if depends == '1' then run('EXPIRE', dependencies, ttl) end
  end
end

local function finish()
  local id, execution, queue, of_job, commands = unpack(ARGV, at + 7, at + 11)
  local job, entry, first = jobs .. id, id .. ':' .. execution, at + 12
  local key, registry = RQ .. 'execution:' .. entry, RQ .. 'wip:' .. queue
  local holder = call('HGET', key, 'clock_worker')
  if holder ~= owner and (holder or not call('ZSCORE', registry, entry)) then return 'overtaken' end
  if ends ~= 'put back' and call('EXISTS', job .. ':dependents') == 1 then return 'dependents' end
  -- A job that was deleted while it ran must not come back as half a hash.
  local is_there = call('EXISTS', job) == 1
  if ends == 'succeeded' then
    if is_there then succeed(job, id, execution, queue) end
    run('HINCRBY', KEYS[1], 'successful_job_count', 1)
    run('HINCRBYFLOAT', KEYS[1], 'total_working_time', ARGV[at + 17])
    first = at + 20 + ARGV[at + 19]
  end
  first = (is_there and run_all or skip)(first, tonumber(of_job))
  run('DEL', key)
  run('ZREM', registry, entry)
  run('ZREM', RQ .. 'executions:' .. id, execution)
  if keeps_executions then run('SREM', KEYS[1] .. ':executions', entry) end
  if keeps_current then run('HDEL', KEYS[1], 'current_job') end
  run_all(first, commands - of_job)
  return 'ended'
end

-- The job is off its queue by now: a key of another type must not keep it from its run.
local function begin(queue, id, key, is_busy)
  local entry = id .. ':' .. step
  local execution, executions = RQ .. 'execution:' .. entry, RQ .. 'executions:' .. id
  pcall('HSET', key, 'status', 'started', 'started_at', text, 'last_heartbeat', text, 'worker_name', name)
  pcall('PERSIST', key)
  if keeps_job and keeps_worker then
    pcall('HSET', execution, 'id', step, 'created_at', now, 'last_heartbeat', now, 'clock_worker', owner,
      'job_id', id, 'worker_name', name)
  else
    pcall('HSET', execution, 'id', step, 'created_at', now, 'last_heartbeat', now, 'clock_worker', owner)
    if keeps_worker then pcall('HSET', execution, 'worker_name', name) end
  end
  pcall('EXPIRE', execution, kept)
  pcall('ZADD', executions, now + kept + 60, step)
  pcall('EXPIRE', executions, kept + 60)
  pcall('ZADD', RQ .. 'wip:' .. queue, now + kept, entry)
  if keeps_executions then
    local own = KEYS[1] .. ':executions'
    pcall('SADD', own, entry)
    pcall('EXPIRE', own, kept + 60)
  end
  if not is_busy then pcall('HSET', KEYS[1], 'state', 'busy') end
  if keeps_current then pcall('HSET', KEYS[1], 'current_job', id, 'current_job_working_time', 0) end
end

-- Whether each queue is paused, in their order; nil where workers are suspended altogether.
local function read_pauses()
  -- Both in one command: while nothing is paused, pauses cost nothing. Where an ACL denies it, nothing is.
  if pcall('EXISTS', KEYS[4], PAUSED) == 0 then return {} end
  if call('EXISTS', KEYS[4]) == 1 then return nil end
  local pauses = pcall('HMGET', PAUSED, unpack(ARGV, 8, #KEYS + 3))
  return pauses.err and {} or pauses
end

local function take(is_busy)
  local paused = read_pauses()
  if not paused then return 'suspended', '', '', {} end
  local looked, open = 0, {}
  for place = 5, #KEYS do
    while not paused[place - 4] do
      local id = pcall('LPOP', KEYS[place])
      if type(id) == 'table' then
        wrong[#wrong + 1] = KEYS[place]
        break
      end
      if not id then break end
      local key, queue = jobs .. id, ARGV[place + 3]
      local hash = pcall('HGETALL', key)
      if #hash > 0 then
        begin(queue, id, key, is_busy)
        return 'job', queue, id, hash
      end
      looked = looked + 1
      if looked == 1000 then return 'more', '', '', {} end
    end
    if not paused[place - 4] then open[#open + 1] = KEYS[place] end
  end
  -- Read, so that the server tells this connection when one of them changes.
  if #open > 0 then call('EXISTS', unpack(open)) end
  return 'empty', '', '', {}
end

local ended, found, queue, id, hash = '', 'none', '', '', {}
if ends ~= '' then ended = finish() end
if may_take == '1' and ended ~= 'dependents' then
  -- Where there are executions to count, a worker that has just ended one is busy already.
  found, queue, id, hash = take(ended == 'ended' and keeps_executions)
end
if found ~= 'job' then
  local running = keeps_executions and pcall('SCARD', KEYS[1] .. ':executions')
  if not running or running == 0 then
    pcall('HSET', KEYS[1], 'state', found == 'suspended' and found or 'idle')
  end
end
-- A reply may be lost for as long as the server is out of reach.
call('SET', KEYS[3], cjson.encode({ step = step, ended = ended, found = found, queue = queue, job = id }), 'EX', 86400)
return { ended, found, queue, id, hash, wrong, errors }
