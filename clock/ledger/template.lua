-- Read an event's template, with its shape.
--
-- KEYS  1 templates  2 shapes   ARGV  1 event
-- Returns nothing where the event is not enrolled, or not readably, else what run.lua and backfill.lua take:
-- data, description, the beginnings of a first and of a later job's meta, then the shape (see enrol.lua).
local template = redis.call('HGET', KEYS[1], ARGV[1])
if not template then return false end
local is_read, digest, _, data, description, first, later = pcall(cmsgpack.unpack, template)
if not is_read or type(later) ~= 'string' then return false end
local packed = redis.call('HGET', KEYS[2], digest)
local beginning = packed and string.find(packed, ' ', 1, true)
if not beginning then return false end
local is_shape, shape = pcall(cmsgpack.unpack, string.sub(packed, beginning + 1))
if not is_shape or type(shape) ~= 'table' then return false end
for _, name in ipairs({ 'first', 'later', 'fields' }) do
  if type(shape[name]) ~= 'table' then return false end
end
local parts = {
  data, description, first, later,
  digest, shape.queue, shape.side, shape.expires or '-', shape.overlap, shape.stuck_after, shape.serializer,
  shape.first[1], shape.first[2], shape.later[1], shape.later[2], shape.later[3], #shape.fields,
}
for _, part in ipairs(shape.fields) do parts[#parts + 1] = part end
return parts
