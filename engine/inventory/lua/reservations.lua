-- Reservations in the unit of work. Include after open_holds.lua.
--
-- A reservation is {state, expires, lines, asked, reference, channel, promised_on, consumed, order_id}, and, if it has lines
-- in other partitions, {version, parts, eaten} too: see parts.lua. Times are
-- milliseconds since 1970, promised_on a day ordinal or 0, lines as in demand.lua, `asked` the hash of the lines as first
-- asked for, `order_id` set once it keeps stock for an order (engine/orders). States: held confirmed consumed cancelled
-- expired, and forestalled: the tombstone of a cancel that came before its hold.
-- reservation_at(work, id, now)  the reservation or nil; one whose deadline has passed is expired on the way
-- put_reservation(work, id, r)   will be written       close(work, id, r, state)  gives all its units back
-- look_up(work, ids)             reads many at once, but for those that this call knows, and may have changed, already
-- expire_due(work, now, limit)   expires what is due, oldest deadline first, some thousand lines at most; returns how many
-- Invariant: an open reservation's units are in cells or schedules exactly once; deadlines holds exactly the held ones.

local FIELD_OF = { held = 'held', confirmed = 'confirmed' }

local function put_reservation(work, id, reservation)
  reservation.dirty = true
  work.reservations[id] = reservation
end

local function close(work, id, reservation, state)
  give_back(work, reservation.lines, FIELD_OF[reservation.state], state .. ' ' .. id, reservation.channel)
  reservation.state, reservation.dirty = state, true
  count_off(work, reservation)
end

local function reservation_at(work, id, now)
  local reservation = work.reservations[id]
  if reservation == nil then
    local packed = redis.call('GET', key_of(work, 'reservation', id))
    if not packed then return nil end
    reservation = cmsgpack.unpack(packed)
    work.reservations[id] = reservation
  end
  if not reservation then return nil end  -- known to be absent, see look_up
  if reservation.state == 'held' and now >= reservation.expires then close(work, id, reservation, 'expired') end
  return reservation
end

local function look_up(work, ids)
  for first = 1, #ids, 1000 do
    local keys = {}
    for i = first, math.min(first + 999, #ids) do keys[#keys + 1] = key_of(work, 'reservation', ids[i]) end
    for i, packed in ipairs(redis.call('MGET', unpack(keys))) do
      local id = ids[first + i - 1]
      if work.reservations[id] == nil then work.reservations[id] = packed and cmsgpack.unpack(packed) end
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
