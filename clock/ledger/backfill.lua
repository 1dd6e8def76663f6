-- Push the job of an occurrence that passed without one. Its event's record stays as it is.
-- KEYS 1 decided  2 the event's backfilled occurrences  3 RQ's set of queues
-- ARGV 1 event  2 instant  3 job id  4 queue key  5 now  6 TTL in seconds  7 cap
--      8 "push", or "look" to write nothing  9 what the meta of its job says  10 deadline in milliseconds
--      or "-", then field, value, ...
-- Returns "open" (pushed, or could be), "fired" (it had its job), "backfilled" (done before),
-- "pending" (not decided yet, so its clock may still enqueue it), "taken" (another job has its id),
-- "unknown" (no such event), "refused" (the queue's key holds something else).
local event, instant, id, queue, now, ttl, cap, what, mark, deadline = unpack(ARGV, 1, 10)
local record = redis.call('HGET', KEYS[1], event)
if not record then return 'unknown' end
if tonumber(string.match(record, '^%d+')) < tonumber(instant) then return 'pending' end
if redis.call('ZSCORE', KEYS[2], instant) then return 'backfilled' end
if string.find(record, '[| ][fs]' .. instant .. '%+') then return 'fired' end
if redis.call('EXISTS', RQ .. 'job:' .. id) == 1 then
  -- An error where the key holds no hash.
  local meta = redis.pcall('HGET', RQ .. 'job:' .. id, 'meta')
  return type(meta) == 'string' and string.find(meta, mark, 1, true) and 'fired' or 'taken'
end
local kind = redis.call('TYPE', queue).ok
if kind ~= 'list' and kind ~= 'none' then return 'refused' end
if what == 'look' then return 'open' end

redis.call('HSET', RQ .. 'job:' .. id, unpack(ARGV, 11))
if deadline ~= '-' then redis.call('PEXPIREAT', RQ .. 'job:' .. id, deadline) end
redis.call('ZADD', KEYS[2], now, instant)
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - cap)
redis.call('EXPIRE', KEYS[2], ttl)
redis.call('SADD', KEYS[3], queue)
redis.call('RPUSH', queue, id)
return 'open'
