-- Decide a batch of occurrences. For each: if it is later than its event's last decided one, record it
-- and push its job; else it is somebody's already. A script runs alone and whole, so record and job
-- live and die together; what could fail (a key of another type) is looked at before anything is written.
--
-- KEYS  1 decided   2 RQ's set of queues
-- ARGV  1 token of this clock   2 TTL of the ledger in seconds, then nine values and the fields of each claim:
--       event, scheduled, previous, job key, job id, queue key, push, deadline, count, field, value, ...
--       previous  the fired occurrence the job's meta names, or "-"
--       push      "R" to the back of the queue, "L" to its front, "-" decide without a job
--       deadline  instant in milliseconds at which the job's hash expires, or "-"
--
-- Returns for each claim: {verdict, decided, fired}
--       "enqueued"  (or, without a job, recorded) now, or by this very clock before, its reply having been lost
--       "decided"   by another clock, or an earlier life of this one
--       "stale"     previous is not what was fired last; nothing is written, ask again with `fired`
--       "refused"   the queue's key does not hold a list; nothing is written
local token, replies, queues, at = ARGV[1], {}, {}, 3

local function holds_list(queue)
  if queues[queue] == nil then
    local kind = redis.call('TYPE', queue).ok
    queues[queue] = kind == 'list' or kind == 'none'
    if queues[queue] then redis.call('SADD', KEYS[2], queue) end
  end
  return queues[queue]
end

while at <= #ARGV do
  local event, scheduled, previous, key, id, queue, push, deadline, count =
    unpack(ARGV, at, at + 8)
  local first = at + 9
  at = first + 2 * tonumber(count)

  local record = redis.call('HGET', KEYS[1], event)
  local decided, fired, by
  if record then decided, fired, by = string.match(record, '^(%S+) (%S+) (.*)$') end
  fired = fired or '-'

  local verdict
  if decided and tonumber(decided) >= tonumber(scheduled) then
    local ours = decided == scheduled and by == token and (fired == scheduled) == (push ~= '-')
    verdict = ours and 'enqueued' or 'decided'
  elseif push == '-' then
    redis.call('HSET', KEYS[1], event, scheduled .. ' ' .. fired .. ' ' .. token)
    verdict, decided = 'enqueued', scheduled
  elseif fired ~= previous then
    verdict = 'stale'
  elseif not holds_list(queue) then
    verdict = 'refused'
  else
    redis.call('HSET', key, unpack(ARGV, first, at - 1))
    if deadline ~= '-' then redis.call('PEXPIREAT', key, deadline) end
    redis.call(push == 'L' and 'LPUSH' or 'RPUSH', queue, id)
    redis.call('HSET', KEYS[1], event, scheduled .. ' ' .. scheduled .. ' ' .. token)
    verdict, decided, fired = 'enqueued', scheduled, scheduled
  end
  replies[#replies + 1] = { verdict, decided or '-', fired }
end

redis.call('EXPIRE', KEYS[1], ARGV[2])
return replies
