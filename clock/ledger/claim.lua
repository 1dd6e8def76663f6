-- Decide a batch of occurrences. For each: if it is later than its event's last decided one, record
-- what becomes of it and, where it fires, push its job; else it is somebody's already. A script runs
-- alone and whole, so record and job live and die together; what could fail (a queue's key of
-- another type, or one this user may not push to) is looked at before anything is recorded. A run of
-- occurrences of which some are somebody's already is not written, nor what follows of that event: the
-- clock counts again. Neither is a run written before an occurrence whose queue takes no jobs: it is
-- recorded once, with that one.
--
-- KEYS  1 decided  2 templates  3 pauses  4 RQ's set of queues
-- ARGV  1 token of this clock  2 TTL of the ledger in seconds  3 now in seconds  4 now as RQ writes it
--       then five values a claim: event, kind, first, scheduled, count
--       kind  "f" to fire; else the letter of a decision made already (see clock.decision), which
--             stands for the `count` occurrences from `first` up to `scheduled`
--
-- Returns a text a claim: the letter of what was recorded ("f" or, where a stuck job was passed over,
-- "s"; "x" expired, "p" paused, "o" overlap, ...), now or, its reply having been lost, before; or
--   "d<instant>"  decided by another clock, up to this instant; an earlier one than was claimed
--                 where a part of the run was decided
--   "q"           the queue's key holds something else, or is not ours to push to; nothing was written
--   "?"           the event is not enrolled; nothing was written
local TOKEN, TTL, NOW, ENQUEUED_AT = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local HISTORY = 900
local COUNTER = { f = 1, x = 2, m = 3, w = 3, k = 3, o = 4, p = 5, u = 6, e = 7 }
local RECORD = '^(%d+) (%S+) (%S+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+)|(.*)$'

local events = {}
for at = 5, #ARGV, 5 do events[#events + 1] = ARGV[at] end
local records = redis.call('HMGET', KEYS[1], unpack(events))
local templates = redis.call('HMGET', KEYS[2], unpack(events))
local pauses = redis.call('EXISTS', KEYS[3]) == 1 and redis.call('HMGET', KEYS[3], unpack(events)) or {}

local texts = {}
-- Seconds since 1970 as 2026-11-21T05:06:30Z; the calendar begins its years in March, so that a leap
-- day is the last of its year (H. Hinnant, "chrono-compatible low-level date algorithms").
local function text(instant)
  if texts[instant] then return texts[instant] end
  local days = math.floor(instant / 86400) + 719468
  local second = instant % 86400
  local era = math.floor(days / 146097)
  local of_era = days % 146097
  local year = math.floor((of_era - math.floor(of_era / 1460) + math.floor(of_era / 36524)
    - math.floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local march = math.floor((5 * of_year + 2) / 153)
  local month = march < 10 and march + 3 or march - 9
  texts[instant] = string.format('%04d-%02d-%02dT%02d:%02d:%02dZ',
    year + era * 400 + (month <= 2 and 1 or 0), month,
    of_year - math.floor((153 * march + 2) / 5) + 1,
    math.floor(second / 3600), math.floor(second / 60) % 60, second % 60)
  return texts[instant]
end

local function job_id(prefix, instant)
  return prefix .. string.gsub(text(instant), '[-:]', '')
end

-- What RQ itself knows of a job: "waiting", "running" or "gone". A started job whose worker no longer
-- sends heartbeats has no execution left.
local function standing(id)
  local status = redis.call('HGET', 'rq:job:' .. id, 'status')
  if status == 'queued' or status == 'deferred' or status == 'scheduled' then return 'waiting' end
  if status ~= 'started' then return 'gone' end
  local execution = redis.call('ZREVRANGE', 'rq:executions:' .. id, 0, 0)[1]
  local alive = execution and redis.call('EXISTS', 'rq:execution:' .. id .. ':' .. execution) == 1
  return alive and 'running' or 'gone'
end

-- Take a waiting job back, at constant cost: its id stays in the queue, and a worker passes over an
-- id without a job.
local function take_back(id, queue)
  local name = string.gsub(queue, '^rq:queue:', '')
  redis.call('DEL', 'rq:job:' .. id)
  redis.call('ZREM', 'rq:scheduled:' .. name, id)
  redis.call('ZREM', 'rq:deferred:' .. name, id)
end

local queues, pushes = {}, {}
-- An error in the middle of a script leaves what is written, so one that a push would raise is
-- asked for beforehand. Servers older than Redis 7 cannot be asked for permissions.
local function takes_jobs(queue, side)
  local asked = side .. queue
  if queues[asked] == nil then
    local kind = redis.call('TYPE', queue).ok
    queues[asked] = (kind == 'list' or kind == 'none')
      and (not redis.acl_check_cmd or redis.acl_check_cmd(side, queue, ''))
  end
  return queues[asked]
end

local function push(template, id)
  local queue, side = template.queue, template.side
  pushes[queue] = pushes[queue] or {}
  pushes[queue][side] = pushes[queue][side] or {}
  table.insert(pushes[queue][side], id)
end

local function write_job(template, id, scheduled, fired)
  local job, meta = template.fields, nil
  if fired == '-' then
    local parts = template.first
    meta = parts[1] .. text(scheduled) .. parts[2] .. ENQUEUED_AT .. parts[3]
  else
    local parts = template.later
    meta = parts[1] .. text(scheduled) .. parts[2] .. text(tonumber(fired)) .. parts[3]
      .. ENQUEUED_AT .. parts[4]
  end
  local n = #job
  job[n + 1], job[n + 2] = 'created_at', ENQUEUED_AT
  job[n + 3], job[n + 4] = 'enqueued_at', ENQUEUED_AT
  job[n + 5], job[n + 6] = 'meta', meta
  if template.expires then
    job[n + 7], job[n + 8] = 'ttl', math.max(1, math.ceil(scheduled + template.expires - NOW))
  end
  redis.call('HSET', 'rq:job:' .. id, unpack(job))
  if template.expires then
    redis.call('PEXPIREAT', 'rq:job:' .. id, (scheduled + template.expires) * 1000)
  end
  push(template, id)
end

-- The letter of what becomes of an occurrence that is to fire.
local function fire(template, scheduled, fired, pause)
  if pause and (pause == '-' or tonumber(pause) > scheduled) then return 'p' end
  if template.expires and NOW >= scheduled + template.expires then return 'x' end
  if not takes_jobs(template.queue, template.side) then return 'q' end
  local kind = 'f'
  if template.overlap ~= 'allow' and fired ~= '-' then
    local earlier = job_id(template.prefix, tonumber(fired))
    local state = standing(earlier)
    if state == 'waiting' and template.overlap == 'replace' then
      take_back(earlier, template.queue)
    elseif state == 'waiting' and NOW - tonumber(fired) > template.stuck_after then
      kind = 's'
    elseif state ~= 'gone' and template.overlap == 'skip' then
      return 'o'
    end
  end
  write_job(template, job_id(template.prefix, scheduled), scheduled, fired)
  return kind
end

-- What a history says of the newest occurrence; runs by hand ("r") are not occurrences.
local function newest_decision(history)
  return string.sub(string.gsub(history, 'r%d+ ', ''), 1, 1)
end

-- Whether claim number i is of a run that ends in an occurrence which is to fire.
local function leads_to_fire(i)
  local last = i
  while events[last + 1] == events[i] do last = last + 1 end
  return last > i and ARGV[5 * last + 1] == 'f'
end

local current, written, replies, behind, refused = {}, {}, {}, {}, {}
for i, event in ipairs(events) do
  local at = 5 * i
  local kind, first, scheduled, count = unpack(ARGV, at + 1, at + 4)
  local instant = tonumber(scheduled)
  local record = current[event] or records[i]
  local reply

  if not record or not templates[i] then
    reply = '?'
  else
    local decided, fired, by, a, b, c, d, e, f, g, history = string.match(record, RECORD)
    if behind[event] or tonumber(decided) >= tonumber(first) then
      behind[event] = behind[event] or tonumber(decided) < instant
      local ours = decided == scheduled and by == TOKEN
      reply = ours and newest_decision(history) or ''
      if reply == '' then reply = 'd' .. decided end
    else
      reply = kind
      if refused[event] then
        reply = 'q'
      elseif kind == 'f' then
        local pause = pauses[i] and string.match(pauses[i], '^%S+')
        reply = fire(cmsgpack.unpack(templates[i]), instant, fired, pause)
      elseif leads_to_fire(i) then
        local template = cmsgpack.unpack(templates[i])
        if not takes_jobs(template.queue, template.side) then reply, refused[event] = 'q', true end
      end
      if reply ~= 'q' then
        local fires = reply == 'f' or reply == 's'
        local counters = { a, b, c, d, e, f, g }
        local counter = COUNTER[fires and 'f' or reply]
        counters[counter] = counters[counter] + count
        local entry = reply .. scheduled
        if fires then
          entry = entry .. '+' .. math.floor((NOW - instant) * 1000)
        elseif count ~= '1' then
          entry = reply .. first .. '-' .. scheduled .. '*' .. count
        end
        history = entry .. ' ' .. history
        if #history > HISTORY then history = string.match(string.sub(history, 1, HISTORY), '^.* ') end
        current[event] = table.concat({ scheduled, fires and scheduled or fired, TOKEN,
          table.concat(counters, ' ') }, ' ') .. '|' .. history
        written[#written + 1] = event
      end
    end
  end
  replies[i] = reply
end

for queue in pairs(pushes) do redis.call('SADD', KEYS[4], queue) end
if #written > 0 then
  local values = {}
  for i, event in ipairs(written) do values[2 * i - 1], values[2 * i] = event, current[event] end
  redis.call('HSET', KEYS[1], unpack(values))
end
for queue, sides in pairs(pushes) do
  for side, ids in pairs(sides) do redis.call(side, queue, unpack(ids)) end
end
for key = 1, 3 do redis.call('EXPIRE', KEYS[key], TTL) end
return replies
