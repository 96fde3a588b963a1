-- Replies of the inventory functions: one cmsgpack list whose first member says what follows. Include after commit.lua.
--
-- {'reservation', id, state, expires or 0, lines, reference, channel, promised_on or 0, crossing, promised or false}
-- {'positions', list}
-- crossing: {version, partitions of its lines, consumed lines of other partitions}, false if all its lines are here
-- a line: {sku, node_id, quantity, ship_on}, and its supply_id if it was pegged to one
-- {'affected', list} (coverage.lua)     {'received', positions, list} (receive.lua)     {'quotas', list} (put_quotas.lua)
-- a refusal: {'unpeggable', list} {'not_received', list} {'missing', id} {'past', id, state, verb} {'taken', id} {'forestalled', id} {'short', list}
--            {'of_order', id, order id} {'too_many', id, list} {'not_on_hand', id, list} {'moved', list} {'out_of_range', list}
--            {'wrong_condition', list} {'uncounted', list}
-- Python words them (engine/inventory/replies.py). Invariant: a reply has no nil, so that it survives packing.

local function refusal(...) return cmsgpack.pack({ ... }) end

local function reservation_row(id, r)
  local lines = {}
  for i, line in ipairs(r.lines) do lines[i] = { line[SKU], line[NODE], line[QUANTITY], line[SHIP_ON], line[PEG] } end
  local deadline = (r.state == 'held' or r.state == 'expired') and r.expires or 0
  return { 'reservation', id, r.state, deadline, lines, r.reference, r.channel, r.promised_on or 0,
    r.parts and { r.version or 1, r.parts, r.eaten or {} } or false, r.promised or false }
end

local function reservation_reply(id, r) return cmsgpack.pack(reservation_row(id, r)) end

-- The schedule of a position is said once: of one that is named again it is false.
local function position_rows(work, rows, node_at, sku_at)
  local positions, said = {}, {}
  for i, row in ipairs(rows) do
    local node_id, sku = row[node_at], row[sku_at]
    local slot = slot_of(work, node_id)
    local cell = cell_at(work, sku, slot)
    local schedule = not said[cell] and (cell.scheduled > 0 and entries_at(work, sku, slot) or {})
    said[cell] = true
    positions[i] = { node_id, sku, cell.on_hand, cell.held, cell.confirmed, cell.safety_stock, cell.version, schedule }
  end
  return positions
end

local function positions_reply(work, rows, node_at, sku_at)
  return cmsgpack.pack({ 'positions', position_rows(work, rows, node_at, sku_at) })
end
