-- What run.lua and backfill.lua share: to push a job that was built in Python, outside of a claim.

-- Whether the key of a queue is one, or free to be one.
local function takes_jobs(queue)
  local kind = redis.call('TYPE', queue).ok
  return kind == 'list' or kind == 'none'
end

-- Who has the id: nobody (nil), the job whose meta has `mark` in it ("ours"), or another one.
local function holder_of(id, mark)
  if redis.call('EXISTS', RQ .. 'job:' .. id) == 0 then return nil end
  -- An error where the key holds no hash.
  local meta = redis.pcall('HGET', RQ .. 'job:' .. id, 'meta')
  return type(meta) == 'string' and string.find(meta, mark, 1, true) and 'ours' or 'another'
end

-- Write the job, whose fields and values are `fields`, and push it. `deadline` is when it expires, in
-- milliseconds since 1970, or "-".
local function push(queues, id, queue, side, deadline, fields)
  redis.call('HSET', RQ .. 'job:' .. id, unpack(fields))
  if deadline ~= '-' then redis.call('PEXPIREAT', RQ .. 'job:' .. id, deadline) end
  redis.call('SADD', queues, queue)
  redis.call(side, queue, id)
end
