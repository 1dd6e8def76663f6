-- Read the server's time, and record which source a clock takes the time from. What a living clock with
-- another source recorded is not overwritten.
--
-- KEYS  1 time source
-- ARGV  1 "server" or "host"  2 token of this clock  3 TTL in seconds
--
-- Returns the time in seconds, "" where the ACL denies TIME; and the token of a clock with another source,
-- or "". A clock whose source is the server, and which may not ask it, records nothing.
local SOURCE, TOKEN, TTL = unpack(ARGV)
local time = redis.pcall('TIME')
local now = time.err and '' or time[1] .. '.' .. string.format('%06d', time[2])
if now == '' and SOURCE == 'server' then return { now, '' } end

local source, other = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) (%S+)$')
if source == SOURCE or not source then
  other = ''
  redis.call('SET', KEYS[1], SOURCE .. ' ' .. TOKEN, 'EX', TTL)
end
return { now, other }
