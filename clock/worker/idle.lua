-- Let a worker be idle that has no execution left; its children alone say so otherwise.
--
-- KEYS  1 the worker's hash
if redis.call('SCARD', KEYS[1] .. ':executions') == 0 and not redis.call('HGET', KEYS[1], 'current_job') then
  redis.call('HSET', KEYS[1], 'state', 'idle')
end
return 0
