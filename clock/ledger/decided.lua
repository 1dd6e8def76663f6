-- Read how far events are decided, without their histories.
-- KEYS 1 decided  2 pauses   ARGV events
-- Returns two values for each event: the instant of its last decided occurrence, or nothing where it is
-- unknown; and its pause, or nothing.
local replies = {}
local records = redis.call('HMGET', KEYS[1], unpack(ARGV))
local pauses = redis.call('HMGET', KEYS[2], unpack(ARGV))
-- A nil would end the reply; a false does not.
for i = 1, #ARGV do
  replies[2 * i - 1] = records[i] and string.match(records[i], '^%d+') or false
  replies[2 * i] = pauses[i]
end
return replies

