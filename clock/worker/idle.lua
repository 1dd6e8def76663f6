-- Let a worker be idle that has no execution left; its children alone say so otherwise.
--
-- KEYS  1 the worker's hash
local running = redis.pcall('SCARD', KEYS[1] .. ':executions')
if running == 0 and not redis.pcall('HGET', KEYS[1], 'current_job') then
  redis.pcall('HSET', KEYS[1], 'state', 'idle')
end
return 0
