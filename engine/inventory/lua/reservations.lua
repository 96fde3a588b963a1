-- Reservations in the unit of work. Include after open_holds.lua.
--
-- A reservation is {state, expires, lines, asked, reference, channel, promised_on, consumed, order_id, promised}, and, if it has lines
-- in other partitions, {version, parts, eaten} too: see parts.lua. Times are
-- milliseconds since 1970, promised_on a day ordinal or 0, lines as in demand.lua, `asked` the hash of the lines as first
-- asked for, `order_id` set once it keeps stock for an order (engine/orders). States: held confirmed consumed cancelled
-- expired, and forestalled: the tombstone of a cancel that came before its hold.
-- work.reservations  by id: a reservation, false if there is none, or its record as long as nobody has looked at it
-- reservation_at(work, id, now)  the reservation or nil; one whose deadline has passed is expired on the way
-- put_reservation(work, id, r)   will be written       close(work, id, r, state)  gives all its units back
-- put_record(work, id, expires, kept)  will be written as it is: a held one      record_of(r)  reservation_of(work, record)
-- look_up(work, ids)             reads many at once, but for those that this call knows, and may have changed, already
-- expire_due(work, now, limit)   expires what is due, oldest deadline first, some thousand lines at most; returns how many
-- Invariant: an open reservation's units are in cells or schedules exactly once; deadlines holds exactly the held ones.

local FIELD_OF = { held = 'held', confirmed = 'confirmed' }
local STATES = { 'held', 'confirmed', 'consumed', 'cancelled', 'expired', 'forestalled' }
local NUMBER_OF = { held = 1, confirmed = 2, consumed = 3, cancelled = 4, expired = 5, forestalled = 6 }
local RECORD_HEAD = '>Bd'

local function put_reservation(work, id, reservation)
  reservation.dirty = true
  work.reservations[id] = reservation
end

local function close(work, id, reservation, state)
  give_back(work, reservation.lines, FIELD_OF[reservation.state], state .. ' ' .. id, reservation.channel)
  reservation.state, reservation.dirty = state, true
  count_off(work, reservation)
end

-- Returns its record: a byte of its state, its deadline, and cmsgpack {lines, asked, reference, channel, promised_on, map of
-- the other fields or false}. What holds.lua puts after the first two is as it came: a line without `dated` is not.
local function record_of(r)
  local others = { consumed = r.consumed or nil, order_id = r.order_id, holder = r.holder, version = r.version, parts = r.parts,
    eaten = r.eaten, dated = r.dated, since = r.since, promised = r.promised }
  return struct.pack(RECORD_HEAD, NUMBER_OF[r.state], r.expires or 0) .. cmsgpack.pack({ r.lines, r.asked or '',
    r.reference or false, r.channel or false, r.promised_on or 0, next(others) and others or false })
end

local function reservation_of(work, record)
  local number, expires = struct.unpack(RECORD_HEAD, record)
  local lines, asked, reference, channel, promised_on, others = unpack(cmsgpack.unpack(string.sub(record, 10)))
  local r = others or {}
  r.state, r.expires, r.lines, r.asked, r.reference = STATES[number], expires, lines, asked, reference
  r.channel, r.promised_on, r.consumed = channel, promised_on, r.consumed or false
  for _, line in ipairs(lines) do
    if not line[DATED] then line[LINE_SLOT], line[DATED] = slot_of(work, line[NODE]) or -1, 0 end
  end
  return r
end

-- Holds a reservation that nobody will look at in this call, of which `kept` is the cmsgpack of its record.
local function put_record(work, id, expires, kept)
  local new = work.new_records
  if not new then
    new = { n = 0, records = {}, deadlines = {}, prefix = key_of(work, 'reservation', '') }
    work.new_records = new
  end
  local n, record = new.n, struct.pack(RECORD_HEAD, NUMBER_OF.held, expires) .. kept
  new.records[n + 1], new.records[n + 2], new.deadlines[n + 1], new.deadlines[n + 2] = new.prefix .. id, record, expires, id
  new.n, work.reservations[id] = n + 2, record
end

local function reservation_at(work, id, now)
  local reservation = work.reservations[id]
  if reservation == nil then reservation = redis.call('GET', key_of(work, 'reservation', id)) end
  if type(reservation) == 'string' then reservation = reservation_of(work, reservation) end
  work.reservations[id] = reservation
  if not reservation then return nil end
  if reservation.state == 'held' and now >= reservation.expires then close(work, id, reservation, 'expired') end
  return reservation
end

local function look_up(work, ids)
  local known, prefix = work.reservations, key_of(work, 'reservation', '')
  for first = 1, #ids, 1000 do
    local keys, last = {}, math.min(first + 999, #ids)
    for i = first, last do keys[i - first + 1] = prefix .. ids[i] end
    local found = redis.call('MGET', unpack(keys))
    for i = first, last do
      local id = ids[i]
      if known[id] == nil then known[id] = found[i - first + 1] end
    end
  end
end

local MOST_DUE_LINES = 3000

local function expire_due(work, now, limit)
  local due = redis.call('ZRANGEBYSCORE', key_of(work, 'deadlines'), '-inf', now, 'LIMIT', 0, limit)
  local lines = 0
  for i, id in ipairs(due) do
    local reservation = reservation_at(work, id, now)
    lines = lines + (reservation and #reservation.lines or 1)
    -- A deadline that nothing stands behind would stop every hold; it is dropped at once.
    if not reservation or not reservation.dirty then redis.call('ZREM', key_of(work, 'deadlines'), id) end
    if lines >= MOST_DUE_LINES then return i end
  end
  return #due
end
