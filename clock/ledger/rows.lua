-- Change the rows in force of a source: rows that are new or changed are enrolled as enrol.lua does, and others
-- are removed. Nothing is done where somebody else changed rows since the caller read them. job.lua goes
-- before this file.
--
-- A row that is new, or whose recurrence changed, stands at the present. One that was removed goes on where
-- it comes back within the time between two questions, else it stands at the present. A record never goes back.
--
-- KEYS  1 decided  2 recurrences  3 templates  4 shapes  5 rows  6 removed rows  7 changes
-- ARGV  1 now in seconds; "" for the server's TIME  2 TTL of the ledger in seconds
--       3 instant where new rows stand, at most now; "" for now  4 the version of the rows that the caller has read
--       5 seconds within which a row that comes back goes on  6 how many changes are kept
--       7 number of shapes  then the shapes, see enrol.lua
--       number of removed rows, each a name, and "1" to let no clock claim it, "" where the file has it now
--       a row: name, its line without the time, recurrence, then its template, see enrol.lua
--
-- Returns the new version; the negative of the present one where that is not the one the caller has read.
local TTL, KNOWN, GOES_ON = ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[5])
local PRESENT = string.format('%d', SECONDS)
local INSTANT = string.format('%d', math.min(tonumber(ARGV[3]) or SECONDS, SECONDS))
local PARTS = 9

local last = call('XREVRANGE', KEYS[7], '+', '-', 'COUNT', 1)[1]
local version = last and tonumber(string.match(last[1], '^%d+')) or 0
if version ~= KNOWN then return -version end

local at = 8
local packed = {}
for _ = 1, ARGV[7] do
  local shape, after = read_shape(at)
  packed[#packed + 1] = ARGV[at]
  packed[#packed + 1] = PRESENT .. ' ' .. cmsgpack.pack(shape)
  at = after
end
if #packed > 0 then call('HSET', KEYS[4], unpack(packed)) end

local change = {}
local number = tonumber(ARGV[at])
at = at + 1
for _ = 1, number do
  local name = ARGV[at]
  call('HDEL', KEYS[5], name)
  if ARGV[at + 1] == '1' then call('HSET', KEYS[6], name, PRESENT) else call('HDEL', KEYS[6], name) end
  change[#change + 1], change[#change + 2] = name, '1'
  at = at + 2
end

local names = {}
for row = at, #ARGV, PARTS do names[#names + 1] = ARGV[row] end
if #names > 0 then
  local lines = call('HMGET', KEYS[5], unpack(names))
  local records = call('HMGET', KEYS[1], unpack(names))
  local recurrences = call('HMGET', KEYS[2], unpack(names))
  local removed = call('HMGET', KEYS[6], unpack(names))
  local stood, changed, written, templates = {}, {}, {}, {}
  for i, name in ipairs(names) do
    local row = at + PARTS * (i - 1)
    local body, recurrence = ARGV[row + 1], ARGV[row + 2]
    local decided, rest = string.match(records[i] or '', '^(%d+) (.*)$')
    local was_away = removed[i] and SECONDS - tonumber(removed[i]) > GOES_ON
    local since = lines[i] and string.match(lines[i], '^%d+')
    if not decided or recurrences[i] ~= recurrence or was_away then
      if not decided or tonumber(decided) < tonumber(INSTANT) then
        -- Nobody decided an occurrence at this instant, so no clock may take it for its own.
        decided, rest = INSTANT, string.gsub(rest or '- - 0 0 0 0 0 0 0|', '^(%S+) %S+', '%1 -')
      end
      stood[#stood + 1], stood[#stood + 2] = name, decided .. ' ' .. rest
      changed[#changed + 1], changed[#changed + 2] = name, recurrence
      since = PRESENT
    end
    written[#written + 1], written[#written + 2] = name, (since or PRESENT) .. ' ' .. body
    templates[#templates + 1], templates[#templates + 2] =
      name, cmsgpack.pack(unpack(ARGV, row + 3, row + PARTS - 1))
    change[#change + 1], change[#change + 2] = name, '1'
  end
  call('HSET', KEYS[3], unpack(templates))
  if #stood > 0 then
    call('HSET', KEYS[1], unpack(stood))
    call('HSET', KEYS[2], unpack(changed))
  end
  call('HSET', KEYS[5], unpack(written))
  call('HDEL', KEYS[6], unpack(names))
end

call('XADD', KEYS[7], 'MAXLEN', ARGV[6], string.format('%d-0', version + 1), unpack(change))
for key = 1, 7 do call('EXPIRE', KEYS[key], TTL) end
return version + 1
