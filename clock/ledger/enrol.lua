-- Make the events of a schedule known, each with its job. One that is new, or whose recurrence changed,
-- stands at the instant given with it; one that is known goes on from its record. A record never goes
-- back, even where the wall clock did.
--
-- KEYS  1 decided  2 recurrences  3 templates
-- ARGV  1 TTL of the ledger in seconds, then two values an event and its template:
--       event, instant, recurrence, queue key, push command, expires or "-", overlap, stuck_after,
--       job id prefix, serializer, seven parts of meta, number of values, field, value, ...
--
-- Returns for each event the instant of its last decided occurrence.
local replies, at = {}, 2

while at <= #ARGV do
  local event, instant, recurrence, queue, side, expires, overlap, stuck_after, prefix, serializer =
    unpack(ARGV, at, at + 9)
  local count = tonumber(ARGV[at + 17])
  local template = {
    queue = queue, side = side, expires = tonumber(expires), overlap = overlap,
    stuck_after = tonumber(stuck_after), prefix = prefix, serializer = serializer,
    first = { unpack(ARGV, at + 10, at + 12) },
    later = { unpack(ARGV, at + 13, at + 16) },
    fields = { unpack(ARGV, at + 18, at + 17 + count) },
  }
  at = at + 18 + count
  redis.call('HSET', KEYS[3], event, cmsgpack.pack(template))

  local record = redis.call('HGET', KEYS[1], event)
  local decided, rest
  if record then decided, rest = string.match(record, '^(%d+) (.*)$') end
  if not decided or redis.call('HGET', KEYS[2], event) ~= recurrence then
    if not decided or tonumber(decided) < tonumber(instant) then
      -- Nobody decided an occurrence at this instant, so no clock may take it for its own.
      decided, rest = instant, string.gsub(rest or '- - 0 0 0 0 0 0 0|', '^(%S+) %S+', '%1 -')
    end
    redis.call('HSET', KEYS[1], event, decided .. ' ' .. rest)
    redis.call('HSET', KEYS[2], event, recurrence)
  end
  replies[#replies + 1] = decided
end

for key = 1, 3 do redis.call('EXPIRE', KEYS[key], ARGV[1]) end
return replies
