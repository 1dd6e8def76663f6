-- Set records that stand in the future back to the present: the server, or an older clock's host, was ahead
-- of the real time when they were written. What fired later than now is kept in `ahead`, so that it never
-- fires again. A record whose history does not list all of that is left as it is, unless asked otherwise.
--
-- KEYS  1 decided  2 ahead
-- ARGV  1 TTL of the ledger in seconds  2 now in seconds; "" for the server's TIME
--       3 how many seconds ahead a record may be without being lowered: its clock waits
--       4 "all" to lower records with an incomplete history too, else ""   then the events
--
-- Returns for each event the instant of its last decided occurrence, with "-" before it where it was lowered;
-- "" where the event is unknown.
local TTL, WAITED_OUT, ANYHOW = ARGV[1], tonumber(ARGV[3]), ARGV[4] == 'all'
local NOW = math.floor(ARGV[2] ~= '' and ARGV[2] or redis.call('TIME')[1])

-- The instants later than now that fired, by a history, and whether it lists all of them.
local function fired_later(history, decisions)
  local instants, listed = {}, 0
  for kind, first, rest in string.gmatch(history, '(%a)(%d+)(%S*)') do
    if kind ~= 'r' then
      -- A history is in the order of its occurrences, newest first: the rest is past too.
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
    local instants, is_complete = fired_later(history, decisions_in(counters))
    if is_complete or ANYHOW then
      if #instants > 0 then
        local known = redis.call('HGET', KEYS[2], event)
        if known then instants[#instants + 1] = known end
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
