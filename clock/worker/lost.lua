-- Find jobs that are queued and on no queue, and put them back: who took one from its queue died before it
-- began, or who enqueued it died half-way. One is put back once it was seen so, unchanged, at every look for
-- a while, since a job is so for a moment whenever a worker of RQ's takes it from one of several queues.
--
-- KEYS  1 hash: job -> since when it has been seen so, and a digest of what its hash says
--       2 the cursor of the walk over all keys  3 RQ's set of queues
-- ARGV  1 seconds for which it must be so  2 seconds without a look after which all is forgotten
--       3 what the keys of jobs begin with  4 keys to walk over  5 how many jobs to remember
--       6 entries of lists to search through, but for the last search  7 a random number
--       8 how often a job may be lost; from then on it is left to the caller
--
-- Returns three for each job that was put back, or is left: its queue  its id  how often it was lost
local AFTER, JOBS, MOST, SEARCH = tonumber(ARGV[1]), ARGV[3], tonumber(ARGV[5]), tonumber(ARGV[6])

local now = tonumber(redis.call('TIME')[1])
local queues = redis.call('SMEMBERS', KEYS[3])
local searched, dealt_with = 0, {}

local function filled(value) return value and value ~= '' end

-- Queue and instant of a job that is queued; nothing of any other.
local function queued(id)
  local job = redis.pcall('HMGET', JOBS .. id, 'status', 'origin', 'enqueued_at')
  if not job.err and job[1] == 'queued' and filled(job[2]) then return job[2], job[3] or '' end
end

local function read(id)
  local queue, enqueued = queued(id)
  if not queue then return nil end
  local job = redis.call('HMGET', JOBS .. id, 'started_at', 'last_heartbeat', 'worker_name', 'clock_deaths',
    'rate_limit_key')
  for at = 1, 5 do job[at] = job[at] or '' end
  local digest = redis.sha1hex(table.concat({ queue, enqueued, unpack(job) }, '|'))
  return { queue = queue, deaths = tonumber(job[4]) or 0, rate = job[5], digest = digest }
end

local function holds(list, id)
  if redis.call('TYPE', list).ok ~= 'list' then return false end
  searched = searched + redis.call('LLEN', list)
  return redis.call('LPOS', list, id) and true
end

local function waits(id, job)
  local queue, rate = job.queue, job.rate
  if redis.call('EXISTS', RQ .. 'executions:' .. id) == 1 then return true end
  for _, kind in ipairs({ 'scheduled', 'deferred', 'ready' }) do
    if redis.pcall('ZSCORE', RQ .. kind .. ':' .. queue, id) then return true end
  end
  if rate ~= '' and redis.pcall('ZSCORE', RQ .. 'rl:' .. rate .. ':rate_limited', id) then return true end
  local own = RQ .. 'queue:' .. queue
  if holds(own, id) or holds(own .. ':intermediate', id) then return true end
  for _, list in ipairs(queues) do
    if list ~= own and (holds(list, id) or holds(list .. ':intermediate', id)) then return true end
  end
  return false
end

local heads = {}

-- Whether a job ought to be off its queue by now. One that was enqueued after the first on it has its turn
-- later, and is not searched for in what may be a long list.
local function had_its_turn(name, enqueued)
  local queue = RQ .. 'queue:' .. name
  if heads[queue] == nil then
    local first = redis.pcall('LINDEX', queue, 0)
    if type(first) == 'table' then
      heads[queue] = ''
    elseif first then
      local its = redis.pcall('HGET', JOBS .. first, 'enqueued_at')
      heads[queue] = type(its) == 'string' and its or ''
    else
      heads[queue] = false
    end
  end
  return not heads[queue] or enqueued < heads[queue]
end

local function put_back(id, job)
  local deaths = job.deaths + 1
  if deaths < tonumber(ARGV[8]) then
    local queue = RQ .. 'queue:' .. job.queue
    local front = redis.call('HGET', JOBS .. id, 'enqueue_at_front') == '1'
    local pushed = redis.pcall(front and 'LPUSH' or 'RPUSH', queue, id)
    if type(pushed) == 'table' then return end
    redis.call('SADD', KEYS[3], queue)
    redis.call('HSET', JOBS .. id, 'clock_deaths', deaths)
    redis.call('HDEL', KEYS[1], id)
  end
  for _, value in ipairs({ job.queue, id, deaths }) do dealt_with[#dealt_with + 1] = value end
end

local remembered, count = redis.call('HGETALL', KEYS[1]), 0
for at = 1, #remembered, 2 do
  local id = remembered[at]
  local since, before = string.match(remembered[at + 1], '^(%d+) (%x+)$')
  local job = read(id)
  if not job or job.digest ~= before then
    redis.call('HDEL', KEYS[1], id)
  elseif searched > SEARCH then
    count = count + 1
  elseif waits(id, job) then
    redis.call('HDEL', KEYS[1], id)
  elseif now - tonumber(since) >= AFTER then
    put_back(id, job)
  else
    count = count + 1
  end
end

local cursor, found = unpack(
  redis.call('SCAN', redis.call('GET', KEYS[2]) or '0', 'MATCH', JOBS .. '*', 'COUNT', ARGV[4]))
redis.call('SET', KEYS[2], cursor, 'EX', 86400)
for number = 1, #found do
  if count >= MOST or searched > SEARCH then break end
  -- From a random one on, so that the same are not left out each time.
  local id = string.sub(found[(number + ARGV[7]) % #found + 1], #JOBS + 1)
  local queue, enqueued = queued(id)
  if queue and had_its_turn(queue, enqueued) then
    local job = read(id)
    if not waits(id, job) and redis.call('HSETNX', KEYS[1], id, now .. ' ' .. job.digest) == 1 then
      count = count + 1
    end
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return dealt_with
