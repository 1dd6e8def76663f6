-- Read an event's template back, with its shape.
-- KEYS 1 templates  2 shapes   ARGV 1 event
-- Returns nothing for an unknown event, else: queue key, push command, expires or "-", prefix of job
-- ids, serializer, the parts of meta for a first and for a later job, fields and values.
local packed = redis.call('HGET', KEYS[1], ARGV[1])
if not packed then return false end
local digest, prefix, data, description, first, later = cmsgpack.unpack(packed)
local found = redis.call('HGET', KEYS[2], digest)
if not found then return false end
local shape = cmsgpack.unpack(string.sub(found, string.find(found, ' ', 1, true) + 1))

local fields = shape.fields
local n = #fields
fields[n + 1], fields[n + 2], fields[n + 3], fields[n + 4] = 'data', data, 'description', description
table.insert(shape.first, 1, first)
table.insert(shape.later, 1, later)
return { shape.queue, shape.side, tostring(shape.expires or '-'), prefix, shape.serializer,
  shape.first, shape.later, fields }
