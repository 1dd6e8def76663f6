-- Make the events of a schedule known, each with its job. An event that is new, or whose recurrence changed,
-- stands at the instant given; one that is known goes on from its record. A record never goes back, even
-- where the wall clock did. job.lua goes before this file.
--
-- KEYS  1 decided  2 recurrences  3 templates  4 shapes  5 removed rows, where events of a file are enrolled
-- ARGV  1 now in seconds; "" for the server's TIME  2 TTL of the ledger in seconds
--       3 instant where new events stand, at most now; "" for now
--       4 number of shapes
--       a shape: digest, queue key, push command, expires or "-", overlap, stuck_after, serializer,
--         the two ends of a first and the three of a later job's meta, number of values, field, value, ...
--       an event: name, recurrence, then its template: digest of its shape, prefix of its job ids,
--         data, description, the beginnings of a first and of a later job's meta
--
-- Returns for each event the instant of its last decided occurrence.
local TTL = ARGV[2]
local INSTANT = string.format('%d', math.min(tonumber(ARGV[3]) or SECONDS, SECONDS))
local PARTS = 8
local at = 5

local packed = {}
for _ = 1, ARGV[4] do
  local shape, after = read_shape(at)
  packed[#packed + 1] = ARGV[at]
  -- The time is for the day it is forgotten.
  packed[#packed + 1] = string.format('%d', SECONDS) .. ' ' .. cmsgpack.pack(shape)
  at = after
end
if #packed > 0 then call('HSET', KEYS[4], unpack(packed)) end

local events, templates = {}, {}
for event = at, #ARGV, PARTS do
  events[#events + 1] = ARGV[event]
  templates[#templates + 1] = ARGV[event]
  templates[#templates + 1] = cmsgpack.pack(unpack(ARGV, event + 2, event + PARTS - 1))
end
local records = call('HMGET', KEYS[1], unpack(events))
local recurrences = call('HMGET', KEYS[2], unpack(events))
call('HSET', KEYS[3], unpack(templates))

local replies, stood, changed = {}, {}, {}
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
  replies[i] = decided
end
if #stood > 0 then
  call('HSET', KEYS[1], unpack(stood))
  call('HSET', KEYS[2], unpack(changed))
end

-- An event of a file may have been a row before.
if KEYS[5] and call('EXISTS', KEYS[5]) == 1 then call('HDEL', KEYS[5], unpack(events)) end
for key = 1, 4 do call('EXPIRE', KEYS[key], TTL) end
return replies
