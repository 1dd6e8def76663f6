-- Push a job that somebody asked for by hand, and note it in its event's history; the schedule is untouched.
-- KEYS 1 decided  2 RQ's set of queues
-- ARGV 1 event  2 instant  3 job id  4 queue key  5 push command  6 deadline in milliseconds or "-"
--      7 what the meta of its jobs says, then field, value, ...
-- Returns 1, 0 where the queue's key holds something else, -1 where another job has the id.
local event, instant, id, queue, side, deadline, mark = unpack(ARGV, 1, 7)
local kind = redis.call('TYPE', queue).ok
if kind ~= 'list' and kind ~= 'none' then return 0 end
if redis.call('EXISTS', RQ .. 'job:' .. id) == 1 then
  -- An error where the key holds no hash.
  local meta = redis.pcall('HGET', RQ .. 'job:' .. id, 'meta')
  -- Asked again after a lost reply: done already.
  return type(meta) == 'string' and string.find(meta, mark, 1, true) and 1 or -1
end

redis.call('HSET', RQ .. 'job:' .. id, unpack(ARGV, 8))
if deadline ~= '-' then redis.call('PEXPIREAT', RQ .. 'job:' .. id, deadline) end
redis.call('SADD', KEYS[2], queue)
redis.call(side, queue, id)

local record = redis.call('HGET', KEYS[1], event)
local head, history = string.match(record or '', '^([^|]*|)(.*)$')
if head then
  history = 'r' .. instant .. ' ' .. history
  -- As long as the claim lets it grow.
  if #history > 900 then history = string.match(string.sub(history, 1, 900), '^.* ') end
  redis.call('HSET', KEYS[1], event, head .. history)
end
return 1
