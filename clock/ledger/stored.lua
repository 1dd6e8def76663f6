-- Change the rows that people edit, and tell the clocks. Nothing is done where a row has another version than
-- the one that is expected.
--
-- KEYS  1 stored rows  2 rows in force  3 removed rows  4 changes of rows
-- ARGV  1 "put", "remove" or "restore"  2 how many changes are kept  3 TTL of the ledger in seconds
--       4 name  5 expected version: "" for any, "0" for none
--       6 its source as a JSON string  7 to put: the row as JSON; to restore: its line
--       8 now in UTC seconds since 1970
--
-- "restore" puts a row back where there is none of its name.
-- A line is a version, a space and JSON. Returns what was there before, "" where nothing was; an error "version"
-- where it has another version.
local call = redis.call
local MODE, NAME, EXPECTED, SOURCE = ARGV[1], ARGV[4], ARGV[5], ARGV[6]
local before = call('HGET', KEYS[1], NAME)
local version = before and string.match(before, '^%d+') or '0'
if EXPECTED ~= '' and EXPECTED ~= version then return redis.error_reply('version ' .. version) end
if MODE == 'restore' then
  if before then return before end
  call('HSET', KEYS[1], NAME, ARGV[7])
elseif MODE == 'put' then
  call('HSET', KEYS[1], NAME, string.format('%d', version + 1) .. ' ' .. ARGV[7])
else
  if not before then return '' end
  call('HDEL', KEYS[1], NAME)
  local line = call('HGET', KEYS[2], NAME)
  if line and string.find(line, '"source":' .. SOURCE, 1, true) then
    -- No clock claims it from here on.
    call('HDEL', KEYS[2], NAME)
    call('HSET', KEYS[3], NAME, ARGV[8])
    call('EXPIRE', KEYS[3], ARGV[3])
  else
    NAME = ''
  end
end
local last = call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 1)[1]
local number = last and tonumber(string.match(last[1], '^%d+')) or 0
local change = { '', 'stored' }
if MODE == 'remove' and NAME ~= '' then change[3], change[4] = NAME, '1' end
call('XADD', KEYS[4], 'MAXLEN', ARGV[2], string.format('%d-0', number + 1), unpack(change))
call('EXPIRE', KEYS[4], ARGV[3])
return before or ''
