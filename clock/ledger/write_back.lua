-- Write pauses that the server forgot. One that somebody ended since stays ended: whoever ends a pause
-- leaves it in the list of those that are no more.
--
-- KEYS  1 pauses  2 pauses that are no more
-- ARGV  1 TTL in seconds  then of each pause: its event, since when it held, its field
--
-- Returns the events whose pauses were written.
local ended = {}
for _, line in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
  local is_read, said = pcall(cjson.decode, line)
  if is_read and type(said) == 'table' then
    ended[tostring(said.event) .. ' ' .. tostring(said.since)] = true
  end
end

local written = {}
for at = 2, #ARGV, 3 do
  local event, since, line = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2]
  if not ended[event .. ' ' .. tostring(since)] and redis.call('HSETNX', KEYS[1], event, line) == 1 then
    written[#written + 1] = event
  end
end
if #written > 0 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return written
