-- Keep the output of a run, and drop what is too much of it: of its event, too old, or beyond the
-- memory that the outputs of the application may take, the oldest first.
--
-- KEYS  1 the outputs of its job  2 the outputs of the application  3 their sizes
--       4 the outputs of its event that are kept for the same reason, the latest first
-- ARGV  1 attempt:job  2 the output  3 when the run ended, in UTC seconds since 1970
--       4 TTL in seconds  5 how many are kept of the event  6 bytes that all may take
--       7 bytes of memory that an output takes beside its text and its names
--       8 what the keys of outputs begin with
--
-- Returns 1 where it is kept, 0 where it is too large, else the reason why it is not. It raises
-- nothing: the end of a job must not fail for the sake of its output.
local own, text, ended, ttl = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local kept, room, prefix = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[8]
local most_dropped = 1000

local function drop(output)
  local size = redis.call('HGET', KEYS[3], output)
  if size then
    redis.call('HDEL', KEYS[3], output)
    redis.call('HINCRBY', KEYS[3], 'bytes', -size)
  end
  redis.call('ZREM', KEYS[2], output)
  local attempt, job = string.match(output, '^(%d+):(.*)$')
  if job then redis.call('HDEL', prefix .. job, attempt) end
end

local function keep()
  -- Its name is in each of the keys.
  local size = #text + tonumber(ARGV[7]) + 4 * #own
  if size > room then return 0 end
  -- A job that was requeued by hand has run under this attempt before.
  drop(own)
  redis.call('LREM', KEYS[4], 0, own)
  redis.call('HSET', KEYS[1], string.match(own, '^%d+'), text)
  redis.call('ZADD', KEYS[2], ended, own)
  redis.call('HSET', KEYS[3], own, size)
  redis.call('LPUSH', KEYS[4], own)
  for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ttl) end

  for _, output in ipairs(redis.call('LRANGE', KEYS[4], kept, -1)) do drop(output) end
  redis.call('LTRIM', KEYS[4], 0, kept - 1)
  for _, output in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ended - ttl, 'LIMIT', 0, most_dropped)) do
    drop(output)
  end
  local total = redis.call('HINCRBY', KEYS[3], 'bytes', size)
  for _ = 1, most_dropped do
    if total <= room then break end
    local oldest = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
    if not oldest then
      -- The sum is wrong: somebody has deleted the rest.
      redis.call('DEL', KEYS[3])
      break
    end
    drop(oldest)
    total = tonumber(redis.call('HGET', KEYS[3], 'bytes'))
  end
  return 1
end

local is_done, result = pcall(keep)
if is_done then return result end
return type(result) == 'table' and result.err or tostring(result)
