-- Lower records that lie in the future to the present: the server, or an older clock's host, was ahead of
-- its time when they were written. What fired beyond the present is noted, so that it never fires again; a
-- record whose history does not list all of that is left as it is, unless that is asked for.
--
-- KEYS  1 decided  2 ahead
-- ARGV  1 TTL of the ledger in seconds  2 now in seconds; "" for the server's TIME
--       3 how far ahead a record may be, in seconds: one that is not is waited out
--       4 "all" to lower also what is not known to have fired, else ""   then the events
--
-- Returns for each event the instant of its last decided occurrence, behind "-" where it was lowered; ""
-- where it is unknown.
local TTL, WAITED_OUT, ANYHOW = ARGV[1], tonumber(ARGV[3]), ARGV[4] == 'all'
local NOW = math.floor(ARGV[2] ~= '' and ARGV[2] or redis.call('TIME')[1])

-- What fired later than now, by a history, and whether it lists all of that.
local function fired_beyond(history, decisions)
  local instants, listed = {}, 0
  for kind, first, rest in string.gmatch(history, '(%a)(%d+)(%S*)') do
    if kind ~= 'r' then
      -- Decisions are made in the order of their occurrences: what is older than one in the past is past.
      if tonumber(first) <= NOW then return instants, true end
      if kind == 'f' or kind == 's' then instants[#instants + 1] = first end
      listed = listed + (tonumber(string.match(rest, '%*(%d+)')) or 1)
    end
  end
  return instants, listed >= decisions
end

local function decisions_in(counters)
  local sum = 0
  for counter in string.gmatch(counters, '%d+') do sum = sum + counter end
  return sum
end

local replies = {}
for i = 5, #ARGV do
  local event = ARGV[i]
  local record = redis.call('HGET', KEYS[1], event)
  local decided, middle, counters, history =
    string.match(record or '', '^(%d+) (%S+ %S+ )([%d ]+)|(.*)$')
  local reply = decided or ''
  if decided and tonumber(decided) > NOW + WAITED_OUT then
    local instants, is_whole = fired_beyond(history, decisions_in(counters))
    if is_whole or ANYHOW then
      if #instants > 0 then
        local noted = redis.call('HGET', KEYS[2], event)
        if noted then instants[#instants + 1] = noted end
        redis.call('HSET', KEYS[2], event, table.concat(instants, ' '))
        redis.call('EXPIRE', KEYS[2], TTL)
      end
      local present = string.format('%d', NOW)
      -- Nobody decided an occurrence at this instant, so no clock may take it for its own.
      middle = string.gsub(middle, '^(%S+) %S+ ', '%1 - ')
      redis.call('HSET', KEYS[1], event, present .. ' ' .. middle .. counters .. '|' .. history)
      reply = '-' .. present
    end
  end
  replies[#replies + 1] = reply
end
return replies
