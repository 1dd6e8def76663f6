-- Make the events of a schedule known. One that is new, or whose recurrence changed, starts from now;
-- one that is known goes on from its record. A record never goes back, even where the wall clock did.
--
-- KEYS  1 decided   2 recurrences
-- ARGV  1 now in seconds   2 TTL of the ledger in seconds, then two values for each event: name, recurrence
--
-- Returns for each event: {decided, fired}
local now, replies = ARGV[1], {}

for at = 3, #ARGV, 2 do
  local event, recurrence = ARGV[at], ARGV[at + 1]
  local record = redis.call('HGET', KEYS[1], event)
  local decided, fired, by
  if record then decided, fired, by = string.match(record, '^(%S+) (%S+) (.*)$') end

  if not decided or redis.call('HGET', KEYS[2], event) ~= recurrence then
    if not decided or tonumber(decided) < tonumber(now) then decided = now end
    fired = fired or '-'
    redis.call('HSET', KEYS[1], event, decided .. ' ' .. fired .. ' ' .. (by or '-'))
    redis.call('HSET', KEYS[2], event, recurrence)
  end
  replies[#replies + 1] = { decided, fired }
end

redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return replies
