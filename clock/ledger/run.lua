-- Push a job that somebody asked for by hand, and note it in its event's history; the schedule is untouched.
-- job.lua goes before this file.
--
-- KEYS  1 decided  2 RQ's set of queues
-- ARGV  1 now in seconds  2 event  3 job id  4 the occurrence that fired last, or "-"
--       5 the list of the event's runs by hand  6 how many are kept  7 for how many seconds
--       8 the request, where it has an idempotency key and arguments of its own: the key and a digest of
--         them; else ""
--       9 data  10 description  11 and 12 the beginnings of a first and of a later job's meta, then the shape
--         (see enrol.lua), then what count_trends takes
-- Returns 1, 0 where its queue takes no jobs, -1 where another job has the id, -2 where its job is of a
-- different request.
local event, id, fired, runs, kept, kept_for, request, data, description, first, later = unpack(ARGV, 2, 12)
local shape, trends = read_shape(13)
if request ~= '' then
  shape.fields[#shape.fields + 1], shape.fields[#shape.fields + 2] = 'clock_request', request
end
prepare(shape)
if not shape.takes then return 0 end
local template = { shape = shape, data = data, description = description, first = first, later = later }
local holder = holder_of(JOB .. id, mark_of(first))
if holder == 'another' then return -1 end
-- Asked again after a lost reply: it is done already.
if holder then return (call('HGET', JOB .. id, 'clock_request') or '') == request and 1 or -2 end

write_job(template, id, SECONDS, fired, NOW)
add_queues(KEYS[2])
push_jobs()

-- No error, and not among KEYS: a user with the rights that 0.1.0 needed may not write it.
redis.pcall('LPUSH', runs, SECONDS .. ' ' .. id)
redis.pcall('LTRIM', runs, 0, kept - 1)
redis.pcall('EXPIRE', runs, kept_for)
count_trends({ unpack(ARGV, trends) })

local record = call('HGET', KEYS[1], event)
local head, history = string.match(record or '', '^([^|]*|)(.*)$')
if head then
  history = 'r' .. SECONDS .. ' ' .. history
  -- As long as the claim lets it grow.
  if #history > 900 then history = string.match(sub(history, 1, 900), '^.* ') end
  call('HSET', KEYS[1], event, head .. history)
end
return 1
