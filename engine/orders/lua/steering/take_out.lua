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
