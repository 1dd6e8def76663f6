-- Decide which clock asks a source: the one that started last, as long as it says so again and again.
-- KEYS 1 asker   ARGV  1 token of the clock  2 when it started, in milliseconds  3 milliseconds it holds
-- Returns 1 where it is this clock.
local held = redis.call('GET', KEYS[1])
if held then
  local started, token = string.match(held, '^(%d+) (.*)$')
  if token and token ~= ARGV[1] then
    local other, ours = tonumber(started), tonumber(ARGV[2])
    if other > ours or (other == ours and token > ARGV[1]) then return 0 end
  end
end
redis.call('SET', KEYS[1], ARGV[2] .. ' ' .. ARGV[1], 'PX', ARGV[3])
return 1
