-- Takes receipts of supplies into stock; units pegged to them become units of today. All or nothing.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  who
-- ARGV[3]  cmsgpack list of {supply_id, node_id, sku, quantity, reason or ''}       ARGV[4]  cmsgpack today by node_id
-- Returns  received, positions, list of {reservation, order or '', state, sku, node_id, quantity, supply_id}
--          not_received: a list of {index, problem, supply_id, sku, node_id, quantity, found}
--   problem: unknown (found 0) · too_much (found: what is expected) · out_of_range (found: on_hand)
-- Invariant: what a supply loses on_hand gains; what dated demand loses, held or confirmed gains, so ATP stays as it was.
-- Unlimited stock stays what it is.

local function problem_with(cell, supply, quantity)
  if not supply then return 'unknown', 0 end
  if quantity > supply[DELTA] then return 'too_much', supply[DELTA] end
  if not is_unlimited(cell) and cell.on_hand + quantity >= MAX_UNITS then return 'out_of_range', cell.on_hand end
end

local function take_in(work, row, supply_id, reason)
  local _, node_id, sku, quantity = unpack(row)
  local slot = slot_of(work, node_id)
  if not slot then return 'unknown', 0 end
  local supply, cell = supply_at(work, sku, slot, supply_id), cell_at(work, sku, slot)
  local problem, found = problem_with(cell, supply, quantity)
  if problem then return problem, found end
  put_supply(work, sku, slot, supply_id, supply[DAY], supply[DELTA] - quantity)
  if not is_unlimited(cell) then
    add(cell, 'on_hand', quantity)
    add(cell, 'version', 1)
  end
  because(cell, supply_id)
  if reason ~= '' then because(cell, reason) end
end

-- Makes units of a pegged line units of today; where some are still to come, the line is divided.
local function settle_line(work, entry, units, today)
  local line, reservation = entry.line, entry.reservation
  local cell = cell_at(work, line[SKU], line[LINE_SLOT])
  add_dated_demand(work, line[SKU], line[LINE_SLOT], line[SHIP_ON], -units, line[PEG])
  add(cell, FIELD_OF[reservation.state], units)
  because(cell, 'received ' .. entry.id)
  local ship_on = math.max(line[NOT_BEFORE], today)
  if units == line[QUANTITY] then
    line[SHIP_ON], line[DATED] = ship_on, 0
  else
    local place = 1
    while reservation.lines[place] ~= line do place = place + 1 end
    line[QUANTITY] = line[QUANTITY] - units
    table.insert(reservation.lines, place,
      { line[SKU], line[NODE], units, ship_on, line[LINE_SLOT], 0, line[PEG], line[NOT_BEFORE] })
  end
  reservation.dirty = true
end

local function hand_out(work, row, today, now, settled)
  local supply_id, node_id, sku, left = unpack(row)
  for _, entry in ipairs(sort_lines(dated_lines(work, sku, slot_of(work, node_id), supply_id, now))) do
    local units = math.min(left, entry.line[QUANTITY])
    if units > 0 then
      settle_line(work, entry, units, today[node_id])
      settled[#settled + 1] = { entry.id, entry.reservation.order_id or '', entry.reservation.state, sku, node_id, units,
        supply_id }
      left = left - units
    end
  end
end

register_once('allot_receive_v1', function(keys, args)
  local work, now, refused, settled = open_work(keys[1], 'receive', args), now_ms(), {}, {}
  local rows, today = cmsgpack.unpack(args[1]), cmsgpack.unpack(args[2])
  for index, row in ipairs(rows) do
    local problem, found = take_in(work, row, row[1], row[5])
    if problem then refused[#refused + 1] = { index - 1, problem, row[1], row[3], row[2], row[4], found } end
  end
  if #refused > 0 then return refusal('not_received', refused) end
  for _, row in ipairs(rows) do
    local supply_id, node_id, sku = unpack(row)
    local _, pegged = supply_at(work, sku, slot_of(work, node_id), supply_id)
    if pegged > 0 then hand_out(work, row, today, now, settled) end
  end
  commit_work(work)
  return cmsgpack.pack({ 'received', position_rows(work, rows, 2, 3), settled })
end)
