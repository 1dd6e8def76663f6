-- Add to what was counted over time. Each hash is a span of time; a field of it has the cells of one queue or
-- event: 21 bytes for each part of the span in which there was something, its number, how many jobs were
-- enqueued, done and failed, and for how many seconds they had waited.
--
-- ARGV  1 what the keys begin with  2 how many fields a hash may have
--       then for each hash and part of its span: the end of its key, its TTL in seconds, the number of the
--       part, how many fields, and for each of these: name, enqueued, done, failed, waited
--
-- Returns 1, or why it counted nothing. It raises nothing: a job must not fail for the sake of this, nor may a
-- user with the rights that 0.1.0 needed, to whom these keys are not open.
local SHAPE, SIZE, LARGEST = '<BI4I4I4d', 21, 4294967295
local sub = string.sub

local function added(cells, part, enqueued, done, failed, waited)
  if #cells % SIZE ~= 0 then cells = '' end
  local before, after = cells, ''
  -- The newest is last, and nearly always the one.
  for at = #cells - SIZE + 1, 1, -SIZE do
    if string.byte(cells, at) == part then
      local _, e, d, f, w = struct.unpack(SHAPE, cells, at)
      enqueued, done, failed, waited = enqueued + e, done + d, failed + f, waited + w
      before, after = sub(cells, 1, at - 1), sub(cells, at + SIZE)
      break
    end
  end
  return before .. struct.pack(SHAPE, part, math.min(enqueued, LARGEST), math.min(done, LARGEST),
    math.min(failed, LARGEST), waited) .. after
end

local function count()
  local at = 3
  while at <= #ARGV do
    local key, ttl, part, fields = ARGV[1] .. ARGV[at], unpack(ARGV, at + 1, at + 3)
    local names = {}
    for field = 1, fields do names[field] = ARGV[at + 5 * field - 1] end
    local cells = redis.call('HMGET', key, unpack(names))
    local room, is_new = nil, false
    local written = {}
    for field, name in ipairs(names) do
      if not cells[field] then
        room = (room or ARGV[2] - redis.call('HLEN', key)) - 1
        is_new = is_new or room >= 0
      end
      if cells[field] or room >= 0 then
        written[#written + 1] = name
        written[#written + 1] = added(cells[field] or '', tonumber(part), unpack(ARGV, at + 5 * field, at + 5 * field + 3))
      end
    end
    if #written > 0 then redis.call('HSET', key, unpack(written)) end
    if is_new then redis.call('EXPIRE', key, ttl) end
    at = at + 4 + 5 * fields
  end
  return 1
end

local is_done, result = pcall(count)
if is_done then return result end
return type(result) == 'table' and result.err or tostring(result)
