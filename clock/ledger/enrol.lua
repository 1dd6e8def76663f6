-- Make the events of a schedule known, each with its job. One that is new, or whose recurrence changed,
-- stands at the instant given; one that is known goes on from its record. A record never goes back,
-- even where the wall clock did.
--
-- KEYS  1 decided  2 recurrences  3 templates  4 shapes
-- ARGV  1 TTL of the ledger in seconds
--       2 now in seconds; "" for the server's TIME
--       3 instant where new events stand, never a later one than now; "" for now
--       4 number of shapes
--       a shape: digest, queue key, push command, expires or "-", overlap, stuck_after, serializer,
--         the two ends of a first and the three of a later job's meta, number of values, field, value, ...
--       an event: name, recurrence, then its template: digest of its shape, prefix of its job ids,
--         data, description, the beginnings of a first and of a later job's meta
--
-- Returns the time by which that was done, then for each event the instant of its last decided occurrence.
local TTL = ARGV[1]
local NOW = ARGV[2]
if NOW == '' then
  local time = redis.call('TIME')
  NOW = time[1] .. '.' .. string.format('%06d', time[2])
end
local TODAY = math.floor(NOW)
local INSTANT = string.format('%d', math.min(tonumber(ARGV[3]) or TODAY, TODAY))
local PARTS = 8
local at = 5

local packed = {}
for _ = 1, ARGV[4] do
  local digest, queue, side, expires, overlap, stuck_after, serializer = unpack(ARGV, at, at + 6)
  local count = ARGV[at + 12]
  packed[#packed + 1] = digest
  -- The time is for the day it is forgotten.
  packed[#packed + 1] = string.format('%d', TODAY) .. ' ' .. cmsgpack.pack({
    queue = queue, side = side, expires = tonumber(expires), overlap = overlap,
    stuck_after = tonumber(stuck_after), serializer = serializer,
    first = { unpack(ARGV, at + 7, at + 8) },
    later = { unpack(ARGV, at + 9, at + 11) },
    fields = { unpack(ARGV, at + 13, at + 12 + count) },
  })
  at = at + 13 + count
end
if #packed > 0 then redis.call('HSET', KEYS[4], unpack(packed)) end

local events, templates = {}, {}
for event = at, #ARGV, PARTS do
  events[#events + 1] = ARGV[event]
  templates[#templates + 1] = ARGV[event]
  templates[#templates + 1] = cmsgpack.pack(unpack(ARGV, event + 2, event + PARTS - 1))
end
local records = redis.call('HMGET', KEYS[1], unpack(events))
local recurrences = redis.call('HMGET', KEYS[2], unpack(events))
redis.call('HSET', KEYS[3], unpack(templates))

local replies, stood, changed = { NOW }, {}, {}
for i, event in ipairs(events) do
  local recurrence = ARGV[at + PARTS * (i - 1) + 1]
  local record = records[i]
  local decided, rest
  if record then decided, rest = string.match(record, '^(%d+) (.*)$') end
  if not decided or recurrences[i] ~= recurrence then
    if not decided or tonumber(decided) < tonumber(INSTANT) then
      -- Nobody decided an occurrence at this instant, so no clock may take it for its own.
      decided, rest = INSTANT, string.gsub(rest or '- - 0 0 0 0 0 0 0|', '^(%S+) %S+', '%1 -')
    end
    stood[#stood + 1], stood[#stood + 2] = event, decided .. ' ' .. rest
    changed[#changed + 1], changed[#changed + 2] = event, recurrence
  end
  replies[i + 1] = decided
end
if #stood > 0 then
  redis.call('HSET', KEYS[1], unpack(stood))
  redis.call('HSET', KEYS[2], unpack(changed))
end

for key = 1, 4 do redis.call('EXPIRE', KEYS[key], TTL) end
return replies
