-- Whether a worker may write the end of an execution; where it may, it counts as alive from now on for
-- as long as a sign of life lasts, so that nobody takes the execution meanwhile.
-- KEYS 1 execution  2 the queue's registry of started jobs  3 presence
-- ARGV 1 worker  2 entry of the registry  3 text of the presence  4 its seconds
local owner = redis.call('HGET', KEYS[1], 'clock_worker')
if owner ~= ARGV[1] and (owner or not redis.call('ZSCORE', KEYS[2], ARGV[2])) then return 0 end
redis.call('SET', KEYS[3], ARGV[3], 'EX', ARGV[4])
return 1
