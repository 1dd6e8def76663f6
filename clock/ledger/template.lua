-- Read an event's template back.
-- KEYS 1 templates   ARGV 1 event
-- Returns nothing for an unknown event, else: queue key, push command, expires or "-", job id prefix,
-- serializer, the parts of meta for a first and for a later occurrence, fields and values.
local packed = redis.call('HGET', KEYS[1], ARGV[1])
if not packed then return false end
local t = cmsgpack.unpack(packed)
return { t.queue, t.side, tostring(t.expires or '-'), t.prefix, t.serializer, t.first, t.later, t.fields }
