-- Decide a batch of occurrences. An occurrence later than its event's last decided one is recorded and,
-- where it fires, its job is pushed; any other one was decided before, and nothing is done. A script runs
-- alone and whole, so a record and its job are written together. Whatever could fail (a queue's key of
-- another type, or one this user may not push to) is checked before anything is recorded.
--
-- A claim may stand for a run of occurrences. It is not written where another clock decided some of them,
-- nor are the later claims of that event: the clock counts again. Neither is it written where the
-- occurrence after it cannot fire, because its queue takes no jobs or another job has its id: it is recorded
-- together with that one, once.
--
-- An occurrence in the future is never decided, by whatever clock. job.lua goes before this file.
--
-- KEYS  1 decided  2 templates  3 shapes  4 pauses  5 RQ's set of queues  6 ahead
--       7 removed rows, where the clock has sources
-- ARGV  1 now in seconds; "" for the server's TIME  2 token of this clock  3 TTL of the ledger in seconds
--       4 the latest TIME at which to decide anything; "" for any
--       then the claims, those alike in one group: kind, first, scheduled, count, delay, n and n events
--       kind  "f" to fire; else the letter of a decision made already (see clock.decision), which
--             stands for the `count` occurrences from `first` up to `scheduled`
--       delay seconds after its time at which it is due
--
-- Returns one string: the time by which was decided, then a reply to each claim; only the time where it is
-- later than the latest. A reply is the letter of what was recorded ("f" or, where a stuck job was passed
-- over, "s"; "x" expired, "p" paused, "o" overlap, ...), by this call or by one whose reply was lost; or
--   "d<instant>"  another clock decided up to this instant, which is earlier than the claimed one where it
--                 decided a part of the run
--   "q"           the queue's key holds another type, or this user may not push to it; nothing was written
--   "j"           another job has the id of the occurrence's; nothing was written
--   "?"           the event is not enrolled; nothing was written
--   "g"           it was a row of a source, and is removed; nothing was written
--   "t"           it lies in the future; nothing was written
local TOKEN, TTL, LATEST = ARGV[2], ARGV[3], tonumber(ARGV[4])
-- Bytes of a record's history.
local HISTORY = 900
-- Seconds an occurrence may be fired before its time: a clock knows the server's time only as precisely as
-- the network lets it.
local TOLERANCE = 0.1
-- Which counter of a record, after the one of fired occurrences, counts a decision.
local COUNTER = { x = 1, m = 2, w = 2, k = 2, o = 3, p = 4, u = 5, e = 6 }
-- Of a record: decided, fired, clock, how many fired, the other counters; the history follows.
local HEAD = '^(%d+) (%S+) (%S+) (%d+) ([^|]*)|'

local REPLY = string.format('%d.%06d', SECONDS, MICROSECONDS)
if LATEST and NOW > LATEST then return REPLY end

-- The event of each claim, and where in ARGV the group of the claim begins.
local events, groups = {}, {}
do
  local at, n = 5, 0
  while at <= #ARGV do
    for event = at + 6, at + 5 + ARGV[at + 5] do
      n = n + 1
      events[n], groups[n] = ARGV[event], at
    end
    at = at + 6 + ARGV[at + 5]
  end
end
local records = call('HMGET', KEYS[1], unpack(events))
local pauses = call('EXISTS', KEYS[4]) == 1 and call('HMGET', KEYS[4], unpack(events)) or {}
-- What fired while the server was ahead of its time, see lower.lua.
local ahead = call('EXISTS', KEYS[6]) == 1 and call('HMGET', KEYS[6], unpack(events)) or {}
local removed = KEYS[7] and call('EXISTS', KEYS[7]) == 1 and call('HMGET', KEYS[7], unpack(events)) or {}

-- The registries of jobs that wait outside their queue, by status.
local WAITS_IN = { scheduled = 'scheduled:', deferred = 'deferred:', ready_to_enqueue = 'ready:' }

-- What RQ knows of a job: "waiting", "running" or "gone"; for a waiting one also its status and its rate
-- limit. A started job whose worker sends no more heartbeats has no execution left. A job may also wait for
-- others of its rate limit to end, or, its dependencies met, to be put on its queue (both RQ 3).
local function state_of(id)
  local status, limit = unpack(call('HMGET', JOB .. id, 'status', 'rate_limit_key'))
  if status == 'queued' or WAITS_IN[status] or status == 'rate_limited' then
    return 'waiting', status, limit
  end
  if status ~= 'started' then return 'gone' end
  local execution = call('ZREVRANGE', RQ .. 'executions:' .. id, 0, 0)[1]
  local is_alive = execution and call('EXISTS', RQ .. 'execution:' .. id .. ':' .. execution) == 1
  return is_alive and 'running' or 'gone'
end

-- Take an id out of its queue. It is searched for from both ends, a short way first: the jobs behind it came
-- since its last time, those before it are what workers have not got to. That costs 12 us a thousand ids, and
-- at most a third of a millisecond. An id with 10,000 on either side stays, as it does on servers before
-- Redis 6.0.6; a worker passes over an id without a job.
local function unqueue(id, queue, side)
  for _, depth in ipairs({ 100, 10000 }) do
    for _, rank in ipairs(side == 'RPUSH' and { -1, 1 } or { 1, -1 }) do
      local position = redis.pcall('LPOS', queue, id, 'RANK', rank, 'MAXLEN', depth)
      if type(position) == 'table' then return end
      if position then
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
    call('ZREM', RQ .. WAITS_IN[status] .. sub(shape.queue, #RQ + #'queue:' + 1), id)
  end
  -- RQ gives away the slot it holds under its limit once it sees the job gone.
  if limit then call('ZREM', RQ .. 'rl:' .. limit .. ':rate_limited', id) end
end

local shapes = {}
-- The shape with this digest, ready for jobs, or false. It is prepared once a call.
local function shape_of(digest)
  local shape = shapes[digest]
  if shape == nil then
    local packed = call('HGET', KEYS[3], digest)
    shape = packed and prepare(unpack_shape(packed)) or false
    shapes[digest] = shape
  end
  return shape
end

local templates
local template = {}
-- Read the template of claim number i; returns whether its event is enrolled. One table serves for all: to
-- make one for each claim is slow. The templates are read with the first claim that needs one, so a clock
-- that comes second asks for none.
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

-- The letter of what becomes of an occurrence that is to fire.
local function fire(scheduled, due, fired, pause)
  local shape = template.shape
  if pause and (pause == '-' or tonumber(pause) > scheduled) then return 'p' end
  if shape.expires and NOW >= due + shape.expires then return 'x' end
  if not shape.takes then return 'q' end
  local kind, replaced = 'f', nil
  if shape.overlap ~= 'allow' and fired ~= '-' then
    local earlier = job_id(template.prefix, tonumber(fired))
    local state, status, limit = state_of(earlier)
    if state == 'waiting' and shape.overlap == 'replace' then
      replaced = { earlier, shape, status, limit }
    elseif state == 'waiting' and NOW - tonumber(fired) > shape.stuck_after then
      kind = 's'
    elseif state ~= 'gone' and shape.overlap == 'skip' then
      return 'o'
    end
  end
  local id = job_id(template.prefix, scheduled)
  if not write_job(template, id, scheduled, fired, due) then return 'j' end
  if replaced then take_back(unpack(replaced, 1, 4)) end
  return kind
end

-- The letter of the newest occurrence in a history; runs by hand ("r") are not occurrences.
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

-- Why the occurrence that is to fire after the run of claim number i cannot: "q" or "j"; nothing where it
-- can, or where there is none.
local function refusal_after(i)
  local last = i
  while events[last + 1] == events[i] do last = last + 1 end
  if last == i or ARGV[groups[last]] ~= 'f' then return nil end
  if not template.shape.takes then return 'q' end
  local scheduled = tonumber(ARGV[groups[last] + 2])
  if ahead[i] and undecided(ahead[i], scheduled, scheduled, 1) == 0 then return nil end
  return is_taken(template, JOB .. job_id(template.prefix, scheduled), scheduled) and 'j' or nil
end

-- A record's other counters, the one of `letter` increased by `count`.
local function increased(counters, letter, count)
  local all = {}
  for counter in string.gmatch(counters, '%d+') do all[#all + 1] = counter end
  all[COUNTER[letter]] = all[COUNTER[letter]] + count
  return table.concat(all, ' ')
end

-- By event: its record as this call changes it, whether another clock is ahead of us, why none of its claims
-- is written, and what is left of `ahead`. By number of fired ones: the next number, as text.
local current, is_behind, refused, left_ahead, incremented = {}, {}, {}, {}, {}
local written, replies = {}, {}
local i, at = 0, 5
while at <= #ARGV do
  local kind, first, scheduled, count, delay, events_here = unpack(ARGV, at, at + 5)
  local from, instant = tonumber(first), tonumber(scheduled)
  local due = instant + tonumber(delay)
  local late = scheduled .. '+' .. math.floor((NOW - due) * 1000) .. ' '
  local is_future = due > NOW + TOLERANCE
  for of = at + 6, at + 5 + events_here do
    i = i + 1
    local event = ARGV[of]
    local record = current[event] or records[i]
    local reply

    if removed[i] then
      reply = 'g'
    elseif not record then
      reply = '?'
    else
      local _, bar, decided, fired, by, fires, counters = find(record, HEAD)
      local already = tonumber(decided)
      if is_behind[event] or already >= from then
        is_behind[event] = is_behind[event] or already < instant
        local is_ours = decided == scheduled and by == TOKEN
        reply = is_ours and newest_decision(sub(record, bar + 1)) or ''
        if reply == '' then reply = 'd' .. decided end
      elseif is_future then
        reply = 't'
      elseif not read_template(i) then
        reply = '?'
      else
        local left, rest = tonumber(count), nil
        if ahead[i] then left, rest = undecided(left_ahead[event] or ahead[i], from, instant, left) end
        if kind ~= 'f' and left > 0 and not refused[event] then refused[event] = refusal_after(i) end
        reply = refused[event] or kind
        if not refused[event] and left == 0 then
          reply = 'd' .. scheduled
        elseif reply == 'f' then
          reply = fire(instant, due, fired, pauses[i] and string.match(pauses[i], '^%S+'))
        end
        if reply ~= 'q' and reply ~= 'j' then
          left_ahead[event] = rest
          local entry, author = '', TOKEN
          if left == 0 then
            author = '-'
          elseif reply == 'f' or reply == 's' then
            -- To write a number is slow, and many events have fired equally often.
            if not incremented[fires] then incremented[fires] = tostring(fires + 1) end
            fires, fired, entry = incremented[fires], scheduled, reply .. late
          else
            counters = increased(counters, reply, left)
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
  at = at + 6 + events_here
end

add_queues(KEYS[5])
if #written > 0 then call('HSET', KEYS[1], unpack(written)) end
push_jobs()
for event, instants in pairs(left_ahead) do
  if instants == '' then call('HDEL', KEYS[6], event) else call('HSET', KEYS[6], event, instants) end
end
for key = 1, 4 do call('EXPIRE', KEYS[key], TTL) end
return REPLY .. ' ' .. table.concat(replies, ' ')
