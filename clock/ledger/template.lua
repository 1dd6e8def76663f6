-- Read an event's template, with its shape.
--
-- KEYS  1 templates  2 shapes   ARGV  1 event
-- Returns nothing where the event is not enrolled, else: the template and the shape as they are kept, the
-- queue's key, the serializer, and the parts of a later job's meta.
local template = redis.call('HGET', KEYS[1], ARGV[1])
if not template then return false end
local digest, _, _, _, _, later = cmsgpack.unpack(template)
local shape = redis.call('HGET', KEYS[2], digest)
if not shape then return false end
local fields = cmsgpack.unpack(string.sub(shape, string.find(shape, ' ', 1, true) + 1))
return { template, shape, fields.queue, fields.serializer, later, unpack(fields.later) }
