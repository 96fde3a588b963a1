-- Which reservations have dated lines of a SKU. Include after reservations.lua.
--
-- dated:<sku>  sorted set: reservation id → the event that it was made in, so that who came first stands first; the part of
--              one that is at home in another partition (parts.lua) is entered under PART and its id
-- A reservation keeps the SKUs that it is entered under in its field `dated`, absent if there are none, and that event in
-- `since`, which one that takes its place may take over.
-- index_dated(work, id, reservation)  enters one that is about to be written, or takes it out; others pay nothing
-- dated_reservations(work, sku, now, ids)  a list of {id, reservation}, first come first; those past their deadline expire.
--              Of some ids as entered only, if these are given
-- Invariant: an open reservation is entered under exactly the SKUs of its dated lines, a closed one under none.

local PART = '\0'

local function part_at(work, id)
  work.parts = work.parts or {}
  if work.parts[id] == nil then
    local packed = redis.call('GET', key_of(work, 'part', id))
    work.parts[id] = packed and cmsgpack.unpack(packed) or false
  end
  return work.parts[id] or nil
end

local function dated_skus(reservation)
  local skus
  if FIELD_OF[reservation.state] then
    for _, line in ipairs(reservation.lines) do
      if line[DATED] == 1 then
        skus = skus or {}
        skus[line[SKU]] = true
      end
    end
  end
  return skus
end

local function index_dated(work, id, reservation)
  local skus, before = dated_skus(reservation), reservation.dated
  if not skus and not before then return end
  for _, sku in ipairs(before or {}) do
    if not (skus and skus[sku]) then redis.call('ZREM', key_of(work, 'dated', sku), id) end
  end
  reservation.dated, reservation.since = skus and {}, reservation.since or work.last_event
  for sku in pairs(skus or {}) do
    redis.call('ZADD', key_of(work, 'dated', sku), 'NX', string.format('%.0f', reservation.since), id)
    table.insert(reservation.dated, sku)
  end
end

local function dated_reservations(work, sku, now, ids)
  local found = {}
  for _, id in ipairs(ids or redis.call('ZRANGE', key_of(work, 'dated', sku), 0, -1)) do
    local reservation
    if string.sub(id, 1, 1) == PART then
      id = string.sub(id, 2)
      reservation = part_at(work, id)
    else
      reservation = reservation_at(work, id, now)
    end
    if reservation and FIELD_OF[reservation.state] then found[#found + 1] = { id, reservation } end
  end
  return found
end
