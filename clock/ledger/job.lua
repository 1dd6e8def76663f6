-- The job of an occurrence, as RQ itself would write it. enrol.lua, claim.lua, backfill.lua and run.lua begin
-- with this file, so a job is built in one place, whoever enqueues it.
--
-- The job's own part is its event's template: shape, data, description, and what its meta begins with, as
-- `first` for the first job of an event and as `later` for every other. A shape is what the jobs of many
-- events share: the key of a queue, the command that pushes, `expires` in seconds, fields, and the ends of
-- both metas. Instants are whole UTC seconds since 1970; the last fired one is "-" where there is none.
--
-- ARGV  1 now in UTC seconds since 1970; "" for the server's TIME
local call, find, sub = redis.call, string.find, string.sub
local JOB = RQ .. 'job:'

local SECONDS, MICROSECONDS
if ARGV[1] == '' then
  SECONDS, MICROSECONDS = unpack(call('TIME'))
  SECONDS, MICROSECONDS = tonumber(SECONDS), tonumber(MICROSECONDS)
else
  SECONDS = math.floor(ARGV[1])
  MICROSECONDS = math.min(math.floor((ARGV[1] - SECONDS) * 1000000 + 0.5), 999999)
end
local NOW = SECONDS + MICROSECONDS / 1000000

local iso_texts, stamps = {}, {}
-- An instant as 2026-11-21T05:06:30Z. The calendar begins its years in March, so that a leap day is the last
-- of its year (H. Hinnant, "chrono-compatible low-level date algorithms").
local function iso(instant)
  if iso_texts[instant] then return iso_texts[instant] end
  local days = math.floor(instant / 86400) + 719468
  local second = instant % 86400
  local era = math.floor(days / 146097)
  local of_era = days % 146097
  local year = math.floor((of_era - math.floor(of_era / 1460) + math.floor(of_era / 36524)
    - math.floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local march = math.floor((5 * of_year + 2) / 153)
  local month = march < 10 and march + 3 or march - 9
  iso_texts[instant] = string.format('%04d-%02d-%02dT%02d:%02d:%02dZ',
    year + era * 400 + (month <= 2 and 1 or 0), month,
    of_year - math.floor((153 * march + 2) / 5) + 1,
    math.floor(second / 3600), math.floor(second / 60) % 60, second % 60)
  return iso_texts[instant]
end

local ENQUEUED_AT = sub(iso(SECONDS), 1, -2) .. string.format('.%06dZ', MICROSECONDS)

local function job_id(prefix, instant)
  if not stamps[instant] then stamps[instant] = string.gsub(iso(instant), '[-:]', '') end
  return prefix .. stamps[instant]
end

-- Read a shape from ARGV, where its digest is at `at`; also returns where it ends.
local function read_shape(at)
  local count = ARGV[at + 12]
  return {
    queue = ARGV[at + 1], side = ARGV[at + 2], expires = tonumber(ARGV[at + 3]), overlap = ARGV[at + 4],
    stuck_after = tonumber(ARGV[at + 5]), serializer = ARGV[at + 6],
    first = { unpack(ARGV, at + 7, at + 8) },
    later = { unpack(ARGV, at + 9, at + 11) },
    fields = { unpack(ARGV, at + 13, at + 12 + count) },
  }, at + 13 + count
end

-- Unpack a shape that is in the ledger, after the time of its last enrolment.
local function unpack_shape(packed)
  return cmsgpack.unpack(sub(packed, find(packed, ' ', 1, true) + 1))
end

local queues = {}
-- The queue of a shape, with the ids that wait to be pushed, in the order of their jobs; false where it takes
-- none: its key holds another type, or this user may not push there. An error in the middle of a script
-- leaves what is written, so whatever would fail a push is checked first. Servers older than Redis 7 cannot
-- be asked for permissions.
local function queue_of(shape)
  local name, side = shape.queue, shape.side
  local key = side .. name
  if queues[key] == nil then
    local kind = call('TYPE', name).ok
    queues[key] = (kind == 'list' or kind == 'none')
      and (not redis.acl_check_cmd or redis.acl_check_cmd(side, name, ''))
      and { name = name, side = side, ids = {} }
  end
  return queues[key]
end

-- Prepare a shape for its jobs, once in a call: `fields` become all fields of a job, of which the last are
-- its `own`, which differ from job to job.
local function prepare(shape)
  local fields = shape.fields
  local n = #fields
  fields[n + 1], fields[n + 2] = 'created_at', ENQUEUED_AT
  fields[n + 3], fields[n + 4] = 'enqueued_at', ENQUEUED_AT
  shape.own, shape.shared = { 'data', '', 'description', '', 'meta', '' }, n + 4
  if shape.expires then shape.own[7], shape.own[8] = 'ttl', '' end
  shape.ends, shape.takes = {}, queue_of(shape)
  return shape
end

-- What a job's meta ends in. Many jobs of a batch were scheduled, and fired last, at the same times.
local function meta_end(shape, scheduled, fired)
  local ends = shape.ends[scheduled]
  if not ends then
    ends = {}
    shape.ends[scheduled] = ends
  end
  if not ends[fired] then
    local parts, end_ = fired == '-' and shape.first or shape.later, iso(scheduled)
    if fired ~= '-' then end_ = end_ .. parts[1] .. iso(tonumber(fired)) end
    ends[fired] = end_ .. parts[#parts - 1] .. ENQUEUED_AT .. parts[#parts]
  end
  return ends[fired]
end

-- What tells by its meta that a job is the event's: its beginning, from the part of the clock on.
local function mark_of(beginning)
  return string.match(beginning, 'clock.*$') or beginning
end

-- Who has the key of a job: nobody (nil), the job whose meta contains `mark` ("ours", with its status), or
-- another one. A hash without data is not a job: a worker wrote into one that was gone.
local function holder_of(key, mark)
  if call('EXISTS', key) == 0 then return nil end
  if call('TYPE', key).ok ~= 'hash' then return 'another' end
  local data, status, meta = unpack(call('HMGET', key, 'data', 'status', 'meta'))
  if not data then return nil end
  return meta and find(meta, mark, 1, true) and 'ours' or 'another', status
end

-- Whether another job has the key of an undecided occurrence's job. One of its own that no worker has begun
-- was written by a call that then failed and pushed nothing.
local function is_taken(template, key, scheduled)
  local holder, status = holder_of(key, mark_of(template.first) .. iso(scheduled))
  return holder == 'another' or (holder == 'ours' and status ~= 'queued')
end

-- How to ask for a copy: carefully until one was made, not at all once it was refused.
local copy = redis.pcall
-- The first job of a shape is written field by field. Every other one is a copy of it, which costs the
-- server much less, with its own fields set; not on a server before Redis 6.2, nor where the ACL denies
-- COPY, nor where that first one was taken back since. A hash that was there already is not copied: what
-- an old job left in it, its expiry too, would go to all. COPY overwrites nothing, so only a job that is
-- written field by field has to ask first. Returns whether the job is written.
local function write_hash(template, key, scheduled)
  local shape = template.shape
  local copied = copy and shape.model and copy('COPY', shape.model, key)
  if copied == 1 then
    copy = call
    call('HSET', key, unpack(shape.own))
    return true
  end
  if type(copied) == 'table' then copy = nil end
  if is_taken(template, key, scheduled) then return false end
  local fields, shared = shape.fields, shape.shared
  for i, value in ipairs(shape.own) do fields[shared + i] = value end
  local is_new = call('HSET', key, unpack(fields)) == #fields / 2
  if is_new then shape.model = key end
  return true
end

-- Write the job of the occurrence `scheduled`, whose event fired last at `fired`; `expires` counts from
-- `start`. Returns whether it is written, and will be pushed: not where another job has the id.
local function write_job(template, id, scheduled, fired, start)
  local shape = template.shape
  local own, key, expires = shape.own, JOB .. id, shape.expires
  own[2], own[4] = template.data, template.description
  own[6] = (fired == '-' and template.first or template.later) .. meta_end(shape, scheduled, fired)
  if expires then own[8] = math.max(1, math.ceil(start - NOW + expires)) end
  if not write_hash(template, key, scheduled) then return false end
  if expires then call('PEXPIREAT', key, math.ceil((start + expires) * 1000)) end
  local ids = shape.takes.ids
  ids[#ids + 1] = id
  return true
end

-- Make the queues of new jobs known to RQ, whose set of queues is at `key`. A user who may not fails here,
-- before anything is recorded.
local function add_queues(key)
  for _, queue in pairs(queues) do
    if queue and #queue.ids > 0 then call('SADD', key, queue.name) end
  end
end

local function push_jobs()
  for _, queue in pairs(queues) do
    if queue and #queue.ids > 0 then call(queue.side, queue.name, unpack(queue.ids)) end
  end
end
