-- Add to totals, which only grow.
--
-- KEYS  1 the hash of totals
-- ARGV  1 TTL in seconds  2 when a run succeeded, in UTC seconds since 1970, or "-"
--       then field, increment, ...
if ARGV[2] ~= '-' then
  local before = tonumber(redis.call('HGET', KEYS[1], 'succeeded') or '')
  if not before or before < tonumber(ARGV[2]) then redis.call('HSET', KEYS[1], 'succeeded', ARGV[2]) end
end
for i = 3, #ARGV, 2 do
  if string.find(ARGV[i + 1], '.', 1, true) then
    redis.call('HINCRBYFLOAT', KEYS[1], ARGV[i], ARGV[i + 1])
  else
    redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
