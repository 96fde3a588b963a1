-- The reservations of an order that is at home here, in a store of several partitions. Include after orders.lua.
--
-- order:<id>       has a field `waiting` too: cmsgpack list of earlier reservations that keep what it waits for; and its
--                  `uses` names the reservation under which they are counted (uses.lua), or ''
-- uses_to_settle   hash: such a name → keep · drop, what was decided here and may not stand where uses are counted
-- Every reservation of an order is at home where the order is, so one call decides on all of them.
-- own_reservations(work, reservation_id, waiting, now)  a list of {id, reservation, field of its units or nil}
-- order_has_left(own, uses)         whether units of it have left a node, as has_left of orders.lua
-- settle_uses_later(work, uses, verdict)

local function own_reservations(work, reservation_id, waiting, now)
  local own, ids = {}, waiting and waiting ~= '' and cmsgpack.unpack(waiting) or {}
  if reservation_id ~= '' then table.insert(ids, 1, reservation_id) end
  for i, id in ipairs(ids) do
    local reservation, field = own_reservation(work, id, now)
    own[i] = { id = id, reservation = reservation, field = field }
  end
  return own
end

local function order_has_left(own, uses)
  for _, each in ipairs(own) do
    if each.reservation and each.reservation.consumed then return true end
  end
  return uses ~= '' and not (own[1] and own[1].reservation)
end

local function settle_uses_later(work, uses, verdict)
  if uses ~= '' then redis.call('HSET', key_of(work, 'uses_to_settle'), uses, verdict) end
end

-- Lines as {sku, node_id, quantity, ship_on, 1 if dated, supply_id or false}; those of other partitions are not among them.
local function lines_here(lines)
  local rows = {}
  for _, line in ipairs(lines) do
    if line[DATED] ~= FAR then
      rows[#rows + 1] = { line[SKU], line[NODE], line[QUANTITY], line[SHIP_ON], line[DATED], line[PEG] or false }
    end
  end
  return rows
end
