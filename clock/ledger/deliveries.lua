-- What was delivered to a webhook. One clock at a time delivers: whoever has the lease. A delivery is recorded
-- after it was sent, so where a clock is killed in between, the next one sends it again.
--
-- KEYS  1 hash: "type:event" -> the instant of what was delivered, and fields without a colon:
--         lease, until    the clock that delivers now, and when that ends
--         next            when the next check is due, by whichever clock
--         began           when the first check was
--         failures        failed deliveries in a row
--         messages        messages delivered
-- ARGV  1 the action: "take" or "settle"  2 token of the clock  3 now  4 TTL in seconds
--       take:    5 length of a lease  6 the longest time to "next"
--       settle:  5 next  6 failures  7 messages delivered
--                8 how many fields are removed, then those, then field, value, ... of those that are set
--       Instants are UTC seconds since 1970.
--
-- Returns  take    all fields and values where the clock has the lease now, else nil
--          settle  1, or 0 where the clock had no lease any more
local KEY = KEYS[1]
local ACTION, TOKEN, NOW, TTL = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]

-- An instant further ahead than "longest" was written before the server's time went back.
local function is_coming(field, longest)
  local at = tonumber(redis.call('HGET', KEY, field) or '')
  return at and at > NOW and at <= NOW + tonumber(longest)
end

local owner = redis.call('HGET', KEY, 'lease')
if ACTION == 'take' then
  if owner ~= TOKEN and (is_coming('next', ARGV[6]) or (owner and is_coming('until', ARGV[5]))) then return nil end
  redis.call('HSET', KEY, 'lease', TOKEN, 'until', tostring(NOW + tonumber(ARGV[5])))
  if not redis.call('HGET', KEY, 'began') then redis.call('HSET', KEY, 'began', ARGV[3]) end
  redis.call('EXPIRE', KEY, TTL)
  return redis.call('HGETALL', KEY)
end

if owner ~= TOKEN then return 0 end
redis.call('HDEL', KEY, 'lease', 'until')
redis.call('HSET', KEY, 'next', ARGV[5], 'failures', ARGV[6])
redis.call('HINCRBY', KEY, 'messages', ARGV[7])
-- One by one: there may be thousands.
local set = 9 + tonumber(ARGV[8])
for i = 9, set - 1 do redis.call('HDEL', KEY, ARGV[i]) end
for i = set, #ARGV, 2 do redis.call('HSET', KEY, ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', KEY, TTL)
return 1
