-- Say that a worker lives and, where it has a job in hand, that the job's execution is its.
-- KEYS 1 presence  2 job  3 execution  4 the queue's registry of started jobs   (2 to 4 with a job in hand)
-- ARGV 1 text of the presence  2 its seconds  3 worker  4 execution id  5 entry of the registry
--      6 when the execution began  7 seconds RQ keeps an execution
-- Returns 1 where the execution was taken from this worker, else 0.
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
if not KEYS[2] then return 0 end
if redis.call('HGET', KEYS[2], 'clock_overtaken') == ARGV[4] then return 1 end
-- Where the server was away for longer than RQ keeps an execution, it is written again: without it
-- nobody could tell whose the job is.
if redis.call('ZSCORE', KEYS[4], ARGV[5]) then
  redis.call('HSET', KEYS[3], 'clock_worker', ARGV[3])
  if redis.call('HSETNX', KEYS[3], 'created_at', ARGV[6]) == 1 then
    redis.call('HSET', KEYS[3], 'id', ARGV[4], 'last_heartbeat', ARGV[6], 'worker_name', ARGV[3])
    redis.call('EXPIRE', KEYS[3], ARGV[7])
  end
end
return 0
