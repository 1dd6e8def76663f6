-- Note a job of an event that failed, and let go of the failed ones that are too many, the oldest first.
--
-- KEYS  1 the event's failed jobs, the latest first
-- ARGV  1 job id  2 how many are kept  3 TTL of the list in seconds
--
-- A job stays, whatever its place, if it is not failed any more because somebody put it back, if it is to
-- be kept for ever, and if others depend on it or group it. Returns how many went.
local id, kept = ARGV[1], tonumber(ARGV[2])

redis.call('LREM', KEYS[1], 0, id)
redis.call('LPUSH', KEYS[1], id)
local over = redis.call('LRANGE', KEYS[1], kept, -1)
redis.call('LTRIM', KEYS[1], 0, kept - 1)
redis.call('EXPIRE', KEYS[1], ARGV[3])

local gone = 0
for _, old in ipairs(over) do
  local job = RQ .. 'job:' .. old
  local said = redis.call('HMGET', job, 'status', 'origin', 'failure_ttl', 'group_id')
  local is_alone = (not said[4] or said[4] == '') and redis.call('EXISTS', job .. ':dependents') == 0
  if said[1] == 'failed' and said[3] ~= '-1' and is_alone then
    redis.call('ZREM', RQ .. 'failed:' .. (said[2] or ''), old)
    redis.call('DEL', job, job .. ':dependencies', RQ .. 'results:' .. old, RQ .. 'executions:' .. old)
    gone = gone + 1
  end
end
return gone
