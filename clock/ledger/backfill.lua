-- Push the job of an occurrence that passed without one. Its event's record stays as it is. job.lua goes
-- before this file.
--
-- KEYS  1 decided  2 the event's backfilled occurrences  3 RQ's set of queues
-- ARGV  1 now in seconds  2 "push", or "look" to write nothing  3 TTL of the ledger in seconds
--       4 how many backfilled occurrences to keep  5 event  6 instant  7 the occurrence before, or "-"
--       8 what the meta of the event's other jobs begins with
--       9 prefix of job ids  10 data  11 description  12 and 13 the beginnings of a first and of a later
--         job's meta, then the shape (see enrol.lua), then what count_trends takes
-- Returns "open" (pushed, or could be), "fired" (it had its job), "backfilled" (done before),
-- "pending" (not decided yet, so its clock may still enqueue it), "taken" (another job has its id),
-- "unknown" (no such event), "refused" (its queue takes no jobs).
local mode, ttl, cap, event, instant, previous, beginning, prefix, data, description, first, later =
  unpack(ARGV, 2, 13)
local record = call('HGET', KEYS[1], event)
if not record then return 'unknown' end
local scheduled = tonumber(instant)
if tonumber(string.match(record, '^%d+')) < scheduled then return 'pending' end
if call('ZSCORE', KEYS[2], instant) then return 'backfilled' end
if find(record, '[| ][fs]' .. instant .. '%+') then return 'fired' end
local id = job_id(prefix, scheduled)
local holder = holder_of(JOB .. id, mark_of(beginning) .. iso(scheduled))
if holder then return holder == 'ours' and 'fired' or 'taken' end
local shape, trends = read_shape(14)
-- Behind what waits, so that jobs run in the order they are pushed.
shape.side = 'RPUSH'
prepare(shape)
if not shape.takes then return 'refused' end
if mode == 'look' then return 'open' end

local template = { shape = shape, data = data, description = description, first = first, later = later }
write_job(template, id, scheduled, previous, NOW)
add_queues(KEYS[3])
push_jobs()
call('ZADD', KEYS[2], ARGV[1], instant)
call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - cap)
call('EXPIRE', KEYS[2], ttl)
count_trends({ unpack(ARGV, trends) })
return 'open'
