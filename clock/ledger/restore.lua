-- Move records that stand before an instant to it, so that no occurrence up to it fires. As far as is known
-- nobody decided those in between, so the history gets no entry.
--
-- KEYS  1 decided
-- ARGV  1 instant  then events
--
-- Returns how many records were moved.
local INSTANT = ARGV[1]
local moved = {}
for at = 2, #ARGV do
  local record = redis.call('HGET', KEYS[1], ARGV[at])
  local decided, fired, rest = string.match(record or '', '^(%d+) (%S+) %S+ (.*)$')
  if decided and tonumber(decided) < tonumber(INSTANT) then
    moved[#moved + 1] = ARGV[at]
    moved[#moved + 1] = INSTANT .. ' ' .. fired .. ' - ' .. rest
  end
end
for at = 1, #moved, 2 do redis.call('HSET', KEYS[1], moved[at], moved[at + 1]) end
return #moved / 2
