-- Push a job that somebody asked for by hand, and note it in its event's history; the schedule is untouched.
-- job.lua goes before this file.
--
-- KEYS  1 decided  2 RQ's set of queues
-- ARGV  1 now in seconds  2 event  3 job id  4 the occurrence that fired last, or "-"
--       5 and 6 the event's template and shape, as template.lua returns them
--       7 to 9 the parts of a first job's meta, 10 to 13 of a later one's
--       14 the list of the event's runs by hand  15 how many are kept  16 for how many seconds
-- Returns 1, 0 where its queue takes no jobs, -1 where another job has the id.
local event, id, fired, packed_template, packed_shape = unpack(ARGV, 2, 6)
local template, shape = {}, unpack_shape(packed_shape)
local _
_, _, template.data, template.description = cmsgpack.unpack(packed_template)
template.first, shape.first = ARGV[7], { unpack(ARGV, 8, 9) }
template.later, shape.later = ARGV[10], { unpack(ARGV, 11, 13) }
template.shape = prepare(shape)
if not shape.takes then return 0 end
local holder = holder_of(JOB .. id, mark_of(template.first))
-- Asked again after a lost reply: it is done already.
if holder then return holder == 'ours' and 1 or -1 end

write_job(template, id, SECONDS, fired, NOW)
add_queues(KEYS[2])
push_jobs()

-- No error, and not among KEYS: a user with the rights that 0.1.0 needed may not write it.
redis.pcall('LPUSH', ARGV[14], SECONDS .. ' ' .. id)
redis.pcall('LTRIM', ARGV[14], 0, ARGV[15] - 1)
redis.pcall('EXPIRE', ARGV[14], ARGV[16])

local record = call('HGET', KEYS[1], event)
local head, history = string.match(record or '', '^([^|]*|)(.*)$')
if head then
  history = 'r' .. SECONDS .. ' ' .. history
  -- As long as the claim lets it grow.
  if #history > 900 then history = string.match(sub(history, 1, 900), '^.* ') end
  call('HSET', KEYS[1], event, head .. history)
end
return 1
