-- Let time pass: every deadline on this server comes nearer.
-- ARGV 1 milliseconds
-- RQ keeps deadlines as scores too, in seconds since 1970, in the sorted sets named below.
local passed = tonumber(ARGV[1])
local cursor = '0'
repeat
  local page = redis.call('SCAN', cursor, 'COUNT', 1000)
  cursor = page[1]
  for _, key in ipairs(page[2]) do
    local left = redis.call('PTTL', key)
    if left > passed then
      redis.call('PEXPIRE', key, left - passed)
    elseif left >= 0 then
      redis.call('DEL', key)
    end
  end
until cursor == '0'

for _, kind in ipairs({ 'finished', 'failed', 'wip', 'scheduled', 'executions' }) do
  for _, key in ipairs(redis.call('KEYS', 'rq:' .. kind .. ':*')) do
    local found = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
    for at = 1, #found, 2 do
      if tonumber(found[at + 1]) > 0 then
        redis.call('ZINCRBY', key, -passed / 1000, found[at])
      end
    end
  end
end
