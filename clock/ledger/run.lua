-- Push a job that somebody asked for by hand, and note it in its event's history; the schedule is untouched.
-- push.lua goes before it.
-- KEYS 1 decided  2 RQ's set of queues
-- ARGV 1 job id  2 queue key  3 push command  4 deadline in milliseconds or "-"  5 what the meta of its jobs
--      has in it  6 event  7 instant, then field, value, ...
-- Returns 1, 0 where the queue's key holds something else, -1 where another job has the id.
local id, queue, side, deadline, mark, event, instant = unpack(ARGV, 1, 7)
if not takes_jobs(queue) then return 0 end
local holder = holder_of(id, mark)
-- Sent again after a lost reply: done already.
if holder then return holder == 'ours' and 1 or -1 end

push(KEYS[2], id, queue, side, deadline, { unpack(ARGV, 8) })

local record = redis.call('HGET', KEYS[1], event)
local head, history = string.match(record or '', '^([^|]*|)(.*)$')
if head then
  history = 'r' .. instant .. ' ' .. history
  -- As long as the claim lets it grow.
  if #history > 900 then history = string.match(string.sub(history, 1, 900), '^.* ') end
  redis.call('HSET', KEYS[1], event, head .. history)
end
return 1
