-- Record a failed job of an event, and delete the failed jobs beyond the newest few.
--
-- KEYS  1 the event's failed jobs, the latest first
-- ARGV  1 job id  2 how many to keep  3 TTL of the list in seconds
--
-- Not deleted are jobs that somebody requeued since, jobs with an infinite failure TTL, and jobs that others
-- depend on or that are in a group. Returns how many were deleted.
local id, kept = ARGV[1], tonumber(ARGV[2])

redis.call('LREM', KEYS[1], 0, id)
redis.call('LPUSH', KEYS[1], id)
local over = redis.call('LRANGE', KEYS[1], kept, -1)
redis.call('LTRIM', KEYS[1], 0, kept - 1)
redis.call('EXPIRE', KEYS[1], ARGV[3])

local deleted = 0
for _, old in ipairs(over) do
  local job = RQ .. 'job:' .. old
  local status, queue, failure_ttl, group =
    unpack(redis.call('HMGET', job, 'status', 'origin', 'failure_ttl', 'group_id'))
  local is_alone = (not group or group == '') and redis.call('EXISTS', job .. ':dependents') == 0
  if status == 'failed' and failure_ttl ~= '-1' and is_alone then
    redis.call('ZREM', RQ .. 'failed:' .. (queue or ''), old)
    redis.call('DEL', job, RQ .. 'job::' .. old .. ':dependencies', RQ .. 'results:' .. old, RQ .. 'executions:' .. old)
    deleted = deleted + 1
  end
end
return deleted
