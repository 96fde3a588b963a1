-- Taking lines out of an order's reservation, for the functions of this library. Include after orders.lua and the inventory's
-- part.lua.
--
-- is_as_seen(fields, expected)  whether {state, run_id, reservation_id, revision} of an order are those expected
-- take_out(work, own, given, lost, order_id, leaves, goes_to)  takes lines {sku, node_id, quantity, ship_on} out of a reservation;
--   returns whether it had them, and the lines that were lost. Of those that are here on_hand falls, as far as there is any. They
--   were not there; or, if it `leaves`, they have left the node. With `goes_to`, {reservation id, order id}, what is given is
--   reserved by that new reservation of that order in the same step, as it was by this one, and nobody else can take it.
-- give_all(work, id, own)  lets a reservation give back all that it keeps, if anything
-- Invariant: units go back once, or stay reserved once; where lines are lost, what is available stays as it was.
-- join(work, own, taken, now)  moves all lines of another order's reservation, {its id, its order, id of a new one, order}, to `own`, or
--   to a new reservation if there is none; returns the id of the new one, or nil. Nothing moves where one is held and one confirmed.

local STATE_AT, RUN_AT, RESERVATION_AT, REVISION_AT = 1, 2, 3, 4

local function is_as_seen(fields, expected)
  return fields[STATE_AT] == expected[STATE_AT] and fields[RUN_AT] == expected[RUN_AT]
    and fields[RESERVATION_AT] == expected[RESERVATION_AT] and (tonumber(fields[REVISION_AT]) or 0) == expected[REVISION_AT]
end

local function lose(work, lines, why)
  for _, line in ipairs(lines) do
    if line[DATED] ~= FAR then
      local cell = cell_at(work, line[SKU], line[LINE_SLOT])
      if not is_unlimited(cell) then
        add(cell, 'on_hand', -math.min(cell.on_hand, line[QUANTITY]))
        add(cell, 'version', 1)
        because(cell, why)
      end
    end
  end
end

local function give_all(work, id, own)
  if own and FIELD_OF[own.state] then close(work, id, own, own.consumed and 'consumed' or 'cancelled') end
end

local function take_out(work, own, given, lost, order_id, leaves, goes_to)
  if #given + #lost == 0 then return true, {} end
  local field = own and FIELD_OF[own.state]
  if not field or (#lost > 0 and field ~= 'confirmed') then return false end
  local all = {}
  for _, lines in ipairs({ given, lost }) do
    for _, line in ipairs(lines) do all[#all + 1] = line end
  end
  local taken_out, stay, too_many = split_lines(own, all)
  if #too_many > 0 then return false end
  local gone = {}
  if #lost > 0 then gone = split_lines({ lines = taken_out }, lost) end
  local why = (leaves and 'shipped ' or #lost > 0 and 'short_pick ' or 'rejected ') .. order_id
  if goes_to then
    put_reservation(work, goes_to[1], { state = own.state, expires = own.expires, lines = taken_out, asked = '',
      reference = goes_to[2], channel = own.channel, promised_on = own.promised_on, consumed = false, order_id = goes_to[2],
      since = own.since, promised = own.promised })
  else
    give_back(work, taken_out, field, why, own.channel)
  end
  lose(work, gone, why)
  if #stay == 0 then own.state, own.lines = leaves and 'consumed' or 'cancelled', taken_out else own.lines = stay end
  own.dirty = true
  return true, gone
end

local function join(work, own, taken, now)
  local other = reservation_at(work, taken[1], now)
  if not other or not FIELD_OF[other.state] or other.consumed or other.order_id ~= taken[2] then return nil end
  local is_live = own and FIELD_OF[own.state]
  if is_live and (own.state ~= other.state or own.channel ~= other.channel) then return nil end
  if is_live then
    for _, line in ipairs(other.lines) do own.lines[#own.lines + 1] = line end
    if own.state == 'held' then own.expires = math.min(own.expires, other.expires) end
    own.dirty = true
  else
    put_reservation(work, taken[3], { state = other.state, expires = other.expires, lines = other.lines, asked = '',
      reference = taken[4], channel = other.channel, promised_on = other.promised_on, consumed = false, order_id = taken[4],
      since = other.since })
  end
  other.state, other.dirty = 'cancelled', true
  return not is_live and taken[3] or nil
end
