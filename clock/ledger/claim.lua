-- Decide a batch of occurrences. For each: if it is later than its event's last decided one, record
-- what becomes of it and, where it fires, push its job; else it is somebody's already. A script runs
-- alone and whole, so record and job live and die together; what could fail (a queue's key of
-- another type, or one this user may not push to) is looked at before anything is recorded. A run of
-- occurrences of which some are somebody's already is not written, nor what follows of that event: the
-- clock counts again. Neither is a run written before an occurrence whose queue takes no jobs, or whose
-- id another job has: it is recorded once, with that one.
--
-- Time is the server's, or the caller's where it says so. An occurrence that lies in the future by it is
-- not decided at all, whoever asks.
--
-- KEYS  1 decided  2 templates  3 shapes  4 pauses  5 RQ's set of queues  6 ahead
-- ARGV  1 token of this clock  2 TTL of the ledger in seconds
--       3 now in seconds; "" for the server's TIME
--       4 the latest TIME at which to decide anything; "" for any
--       then the claims, those alike together: kind, first, scheduled, count, n and n events
--       kind  "f" to fire; else the letter of a decision made already (see clock.decision), which
--             stands for the `count` occurrences from `first` up to `scheduled`
--
-- Returns the time by which was decided, and a word a claim, all in one text; only the time where it is later
-- than the latest. A word is the letter of what was recorded ("f" or, where a stuck job
-- was passed over, "s"; "x" expired, "p" paused, "o" overlap, ...), now or, its reply having been
-- lost, before; or
--   "d<instant>"  decided by another clock, up to this instant; an earlier one than was claimed
--                 where a part of the run was decided
--   "q"           the queue's key holds something else, or is not ours to push to; nothing was written
--   "j"           another job has the id of the occurrence's; nothing was written
--   "?"           the event is not enrolled; nothing was written
--   "t"           it lies in the future; nothing was written
local TOKEN, TTL, LATEST = ARGV[1], ARGV[2], tonumber(ARGV[4])
local HISTORY = 900
-- Seconds an occurrence may be fired before its time: a clock's idea of the server's time is as good as
-- the network lets it be.
local TOLERANCE = 0.1
-- The counters of a record behind that of the fired ones.
local COUNTER = { x = 1, m = 2, w = 2, k = 2, o = 3, p = 4, u = 5, e = 6 }
-- Of a record: decided, fired, clock, how many fired, the other counters; the history follows.
local HEAD = '^(%d+) (%S+) (%S+) (%d+) ([^|]*)|'
local call, find, sub = redis.call, string.find, string.sub
local JOB, QUEUE = RQ .. 'job:', RQ .. 'queue:'

local SECONDS, MICROSECONDS
if ARGV[3] == '' then
  SECONDS, MICROSECONDS = unpack(call('TIME'))
  SECONDS, MICROSECONDS = tonumber(SECONDS), tonumber(MICROSECONDS)
else
  SECONDS = math.floor(ARGV[3])
  MICROSECONDS = math.min(math.floor((ARGV[3] - SECONDS) * 1000000 + 0.5), 999999)
end
local NOW = SECONDS + MICROSECONDS / 1000000
local REPLY = string.format('%d.%06d', SECONDS, MICROSECONDS)
if LATEST and NOW > LATEST then return REPLY end

-- Of each event its name, and where in ARGV its claim begins.
local events, heads = {}, {}
do
  local at, n = 5, 0
  while at <= #ARGV do
    for event = at + 5, at + 4 + ARGV[at + 4] do
      n = n + 1
      events[n], heads[n] = ARGV[event], at
    end
    at = at + 5 + ARGV[at + 4]
  end
end
local records = call('HMGET', KEYS[1], unpack(events))
local pauses = call('EXISTS', KEYS[4]) == 1 and call('HMGET', KEYS[4], unpack(events)) or {}
-- What fired while the server was ahead of its time, see lower.lua.
local ahead = call('EXISTS', KEYS[6]) == 1 and call('HMGET', KEYS[6], unpack(events)) or {}

local texts, suffixes = {}, {}
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

local ENQUEUED_AT = sub(text(SECONDS), 1, -2) .. string.format('.%06dZ', MICROSECONDS)

local function job_id(prefix, instant)
  if not suffixes[instant] then suffixes[instant] = string.gsub(text(instant), '[-:]', '') end
  return prefix .. suffixes[instant]
end

-- The registries of jobs that wait elsewhere than on their queue, by status.
local WAITS_IN = { scheduled = 'scheduled:', deferred = 'deferred:', ready_to_enqueue = 'ready:' }

-- What RQ itself knows of a job: "waiting", "running" or "gone". A started job whose worker no longer
-- sends heartbeats has no execution left. A job may also wait for others of its rate limit to end, or,
-- its dependencies met, to be put on its queue (both RQ 3). Behind that, its status and its rate limit.
local function standing(id)
  local status, limit = unpack(call('HMGET', JOB .. id, 'status', 'rate_limit_key'))
  if status == 'queued' or WAITS_IN[status] or status == 'rate_limited' then
    return 'waiting', status, limit
  end
  if status ~= 'started' then return 'gone' end
  local execution = call('ZREVRANGE', RQ .. 'executions:' .. id, 0, 0)[1]
  local alive = execution and call('EXISTS', RQ .. 'execution:' .. id .. ':' .. execution) == 1
  return alive and 'running' or 'gone'
end

-- Take an id out of its queue. It is looked for near both ends, a little way first: behind it is what came
-- since its last time, before it what workers were slow with. That costs 12 us a thousand ids, and at
-- most a third of a millisecond. One with 10,000 on either side stays, as it does on servers before
-- Redis 6.0.6; a worker passes over an id without a job.
local function unqueue(id, queue, side)
  for _, depth in ipairs({ 100, 10000 }) do
    for _, rank in ipairs(side == 'RPUSH' and { -1, 1 } or { 1, -1 }) do
      local found = redis.pcall('LPOS', queue, id, 'RANK', rank, 'MAXLEN', depth)
      if type(found) == 'table' then return end
      if found then
        redis.pcall('LREM', queue, rank, id)
        return
      end
    end
  end
end

-- Take a waiting job back.
local function take_back(id, shape, status, limit)
  call('DEL', JOB .. id)
  if status == 'queued' then
    unqueue(id, shape.queue, shape.side)
  elseif WAITS_IN[status] then
    call('ZREM', RQ .. WAITS_IN[status] .. sub(shape.queue, #QUEUE + 1), id)
  end
  -- A place it holds among the jobs of its limit is given away by RQ, which finds the job gone.
  if limit then call('ZREM', RQ .. 'rl:' .. limit .. ':rate_limited', id) end
end

local queues = {}
-- Where the ids of a shape's new jobs wait to be pushed, in the order of their claims; false where the
-- queue takes none. An error in the middle of a script leaves what is written, so one that a push
-- would raise is asked for beforehand. Servers older than Redis 7 cannot be asked for permissions.
local function queue_of(shape)
  local name, side = shape.queue, shape.side
  local asked = side .. name
  if queues[asked] == nil then
    local kind = call('TYPE', name).ok
    queues[asked] = (kind == 'list' or kind == 'none')
      and (not redis.acl_check_cmd or redis.acl_check_cmd(side, name, ''))
      and { name = name, side = side, ids = {} }
  end
  return queues[asked]
end

local shapes = {}
-- What an event shares with others, or false. It is laid out once a call: `fields` are all of a job, `own`
-- those that differ from job to job, which the last ones of `fields` are too.
local function shape_of(digest)
  local shape = shapes[digest]
  if shape == nil then
    local packed = call('HGET', KEYS[3], digest)
    shape = packed and cmsgpack.unpack(sub(packed, find(packed, ' ', 1, true) + 1)) or false
    if shape then
      local fields = shape.fields
      local n = #fields
      fields[n + 1], fields[n + 2] = 'created_at', ENQUEUED_AT
      fields[n + 3], fields[n + 4] = 'enqueued_at', ENQUEUED_AT
      shape.own, shape.same = { 'data', '', 'description', '', 'meta', '' }, n + 4
      if shape.expires then shape.own[7], shape.own[8] = 'ttl', '' end
      shape.ends, shape.takes = {}, queue_of(shape)
    end
    shapes[digest] = shape
  end
  return shape
end

local templates
local template = {}
-- Read what the jobs of the event of claim number i have to themselves, and find their shape; returns
-- whether the event is enrolled. One table serves for all: to make one for each claim is slow. Whoever
-- comes second, behind another clock, asks for no template at all.
local function read_template(i)
  templates = templates or call('HMGET', KEYS[2], unpack(events))
  local packed = templates[i]
  if not packed then return false end
  local digest
  digest, template.prefix, template.data, template.description, template.first, template.later =
    cmsgpack.unpack(packed)
  template.shape = shape_of(digest)
  return template.shape ~= false
end

-- What a job's meta ends in. Many jobs of a batch were scheduled, and fired last, at the same times.
local function meta_end(shape, scheduled, fired)
  local ends = shape.ends[scheduled]
  if not ends then
    ends = {}
    shape.ends[scheduled] = ends
  end
  if not ends[fired] then
    local parts, end_ = fired == '-' and shape.first or shape.later, text(scheduled)
    if fired ~= '-' then end_ = end_ .. parts[1] .. text(tonumber(fired)) end
    ends[fired] = end_ .. parts[#parts - 1] .. ENQUEUED_AT .. parts[#parts]
  end
  return ends[fired]
end

-- Whether another job has an id that ours is to get; nobody has decided our occurrence, so it had none. One
-- that says it is ours, and that no worker has begun, was written by a call that then failed and
-- pushed nothing. A hash without data is no job: a worker wrote into one that was gone.
local function is_taken(key, scheduled)
  if call('EXISTS', key) == 0 then return false end
  if call('TYPE', key).ok ~= 'hash' then return true end
  local data, status, meta = unpack(call('HMGET', key, 'data', 'status', 'meta'))
  if not data then return false end
  local mark = (string.match(template.first, 'clock.*$') or template.first) .. text(scheduled)
  return status ~= 'queued' or not meta or not find(meta, mark, 1, true)
end

-- How to ask for a copy: carefully until one was made, not at all once it was refused.
local copy = redis.pcall
-- The first job of a shape is written field by field. Every other one is a copy of it, which costs the
-- server much less, with its own fields put in; not on a server before Redis 6.2, nor for a user who may
-- not copy, nor where that first one was taken back since. A hash that was there already is no model: what
-- an old job left in it, its expiry too, would go to all. Nothing is copied over what is there already,
-- so only a job that is written field by field has to ask first. Returns whether the job is written.
local function write_hash(key, shape, scheduled)
  local copied = copy and shape.model and copy('COPY', shape.model, key)
  if copied == 1 then
    copy = call
    call('HSET', key, unpack(shape.own))
    return true
  end
  if type(copied) == 'table' then copy = nil end
  if is_taken(key, scheduled) then return false end
  local fields, same = shape.fields, shape.same
  for i, value in ipairs(shape.own) do fields[same + i] = value end
  local is_new = call('HSET', key, unpack(fields)) == #fields / 2
  if is_new then shape.model = key end
  return true
end

-- Returns whether the job is written, and will be pushed.
local function write_job(scheduled, fired)
  local shape = template.shape
  local id = job_id(template.prefix, scheduled)
  local own, key = shape.own, JOB .. id
  own[2], own[4] = template.data, template.description
  own[6] = (fired == '-' and template.first or template.later) .. meta_end(shape, scheduled, fired)
  if shape.expires then
    own[8] = math.max(1, math.ceil(scheduled + shape.expires - NOW))
  end
  if not write_hash(key, shape, scheduled) then return false end
  if shape.expires then call('PEXPIREAT', key, (scheduled + shape.expires) * 1000) end
  local ids = shape.takes.ids
  ids[#ids + 1] = id
  return true
end

-- The letter of what becomes of an occurrence that is to fire.
local function fire(scheduled, fired, pause)
  local shape = template.shape
  if pause and (pause == '-' or tonumber(pause) > scheduled) then return 'p' end
  if shape.expires and NOW >= scheduled + shape.expires then return 'x' end
  if not shape.takes then return 'q' end
  local kind, replaced = 'f', nil
  if shape.overlap ~= 'allow' and fired ~= '-' then
    local earlier = job_id(template.prefix, tonumber(fired))
    local state, status, limit = standing(earlier)
    if state == 'waiting' and shape.overlap == 'replace' then
      replaced = { earlier, shape, status, limit }
    elseif state == 'waiting' and NOW - tonumber(fired) > shape.stuck_after then
      kind = 's'
    elseif state ~= 'gone' and shape.overlap == 'skip' then
      return 'o'
    end
  end
  if not write_job(scheduled, fired) then return 'j' end
  if replaced then take_back(unpack(replaced, 1, 4)) end
  return kind
end

-- What a history says of the newest occurrence; runs by hand ("r") are not occurrences.
local function newest_decision(history)
  return sub(string.gsub(history, 'r%d+ ', ''), 1, 1)
end

-- How many of the `count` occurrences from `first` to `last` are undecided, where those of `instants` fired
-- while the server was ahead of its time, and which of these are still to come.
local function undecided(instants, first, last, count)
  local rest = {}
  for instant in string.gmatch(instants, '%d+') do
    local at = tonumber(instant)
    if at > last then
      rest[#rest + 1] = instant
    elseif at >= first then
      count = count - 1
    end
  end
  return math.max(count, 0), table.concat(rest, ' ')
end

-- Why the occurrence that is to fire behind the run of claim number i cannot: "q" or "j"; nothing where it
-- can, or where there is none.
local function refusal_behind(i)
  local last = i
  while events[last + 1] == events[i] do last = last + 1 end
  if last == i or ARGV[heads[last]] ~= 'f' then return nil end
  if not template.shape.takes then return 'q' end
  local scheduled = tonumber(ARGV[heads[last] + 2])
  if ahead[i] and undecided(ahead[i], scheduled, scheduled, 1) == 0 then return nil end
  return is_taken(JOB .. job_id(template.prefix, scheduled), scheduled) and 'j' or nil
end

-- The other counters of a record with one of them gone up.
local function counted(counters, letter, count)
  local all = {}
  for counter in string.gmatch(counters, '%d+') do all[#all + 1] = counter end
  all[COUNTER[letter]] = all[COUNTER[letter]] + count
  return table.concat(all, ' ')
end

local current, written, replies, behind, refused, more, passed = {}, {}, {}, {}, {}, {}, {}
local i, at = 0, 5
while at <= #ARGV do
  local kind, first, scheduled, count, events_here = unpack(ARGV, at, at + 4)
  local from, instant = tonumber(first), tonumber(scheduled)
  local late = scheduled .. '+' .. math.floor((NOW - instant) * 1000) .. ' '
  local is_future = instant > NOW + TOLERANCE
  for of = at + 5, at + 4 + events_here do
    i = i + 1
    local event = ARGV[of]
    local record = current[event] or records[i]
    local reply

    if not record then
      reply = '?'
    else
      local _, bar, decided, fired, by, fires, counters = find(record, HEAD)
      local already = tonumber(decided)
      if behind[event] or already >= from then
        behind[event] = behind[event] or already < instant
        local ours = decided == scheduled and by == TOKEN
        reply = ours and newest_decision(sub(record, bar + 1)) or ''
        if reply == '' then reply = 'd' .. decided end
      elseif is_future then
        reply = 't'
      elseif not read_template(i) then
        reply = '?'
      else
        local left, rest = tonumber(count), nil
        if ahead[i] then left, rest = undecided(passed[event] or ahead[i], from, instant, left) end
        if kind ~= 'f' and left > 0 and not refused[event] then refused[event] = refusal_behind(i) end
        reply = refused[event] or kind
        if not refused[event] and left == 0 then
          reply = 'd' .. scheduled
        elseif reply == 'f' then
          reply = fire(instant, fired, pauses[i] and string.match(pauses[i], '^%S+'))
        end
        if reply ~= 'q' and reply ~= 'j' then
          passed[event] = rest
          local entry, author = '', TOKEN
          if left == 0 then
            author = '-'
          elseif reply == 'f' or reply == 's' then
            -- To write a number is slow, and many events have fired equally often.
            if not more[fires] then more[fires] = tostring(fires + 1) end
            fires, fired, entry = more[fires], scheduled, reply .. late
          else
            counters = counted(counters, reply, left)
            entry = reply .. (count == '1' and scheduled or first .. '-' .. scheduled .. '*' .. left) .. ' '
          end
          local room = HISTORY - #entry
          local history = sub(record, bar + 1, bar + room)
          if #record - bar > room then history = string.match(history, '^.* ') or '' end
          record = scheduled .. ' ' .. fired .. ' ' .. author .. ' ' .. fires .. ' ' .. counters .. '|'
            .. entry .. history
          current[event] = record
          written[#written + 1] = event
          written[#written + 1] = record
        end
      end
    end
    replies[i] = reply
  end
  at = at + 5 + events_here
end

for _, queue in pairs(queues) do
  if queue and #queue.ids > 0 then call('SADD', KEYS[5], queue.name) end
end
if #written > 0 then call('HSET', KEYS[1], unpack(written)) end
for _, queue in pairs(queues) do
  if queue and #queue.ids > 0 then call(queue.side, queue.name, unpack(queue.ids)) end
end
for event, instants in pairs(passed) do
  if instants == '' then call('HDEL', KEYS[6], event) else call('HSET', KEYS[6], event, instants) end
end
for key = 1, 4 do call('EXPIRE', KEYS[key], TTL) end
return REPLY .. ' ' .. table.concat(replies, ' ')
