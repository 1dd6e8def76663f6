-- Push the job of an occurrence that passed without one. Its event's record stays as it is. push.lua goes
-- before it.
-- KEYS 1 decided  2 the event's backfilled occurrences  3 RQ's set of queues
-- ARGV 1 job id  2 queue key  3 push command  4 deadline in milliseconds or "-"  5 what the meta of its job
--      has in it  6 event  7 instant  8 now  9 TTL in seconds  10 cap  11 "push", or "look" to write nothing,
--      then field, value, ...
-- Returns "open" (pushed, or could be), "fired" (it had its job), "backfilled" (done before),
-- "pending" (not decided yet, so its clock may still enqueue it), "taken" (another job has its id),
-- "unknown" (no such event), "refused" (the queue's key holds something else).
local id, queue, side, deadline, mark, event, instant, now, ttl, cap, mode = unpack(ARGV, 1, 11)
local record = redis.call('HGET', KEYS[1], event)
if not record then return 'unknown' end
if tonumber(string.match(record, '^%d+')) < tonumber(instant) then return 'pending' end
if redis.call('ZSCORE', KEYS[2], instant) then return 'backfilled' end
if string.find(record, '[| ][fs]' .. instant .. '%+') then return 'fired' end
local holder = holder_of(id, mark)
if holder then return holder == 'ours' and 'fired' or 'taken' end
if not takes_jobs(queue) then return 'refused' end
if mode == 'look' then return 'open' end

push(KEYS[3], id, queue, side, deadline, { unpack(ARGV, 12) })
redis.call('ZADD', KEYS[2], now, instant)
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - cap)
redis.call('EXPIRE', KEYS[2], ttl)
return 'open'
