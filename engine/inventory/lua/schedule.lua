-- Supplies and dated demand of a SKU, changed in memory. Include after cells.lua.
--
-- An entry is {slot, day, delta, supply_id}: a supply has delta > 0 and its id; dated demand has delta < 0 and the id of
-- the supply it is pegged to, or '' (summed per day and supply). Days are ordinals. The key schedule:<sku> is a cmsgpack
-- list, absent if empty.
-- supply_at(work, sku, slot, supply_id)  the entry of a supply or nil, and how many units are pegged to it
-- Invariant: `scheduled` of a cell is the number of its entries, so that a cell with 0 needs no second key.

local SLOT, DAY, DELTA, SUPPLY_ID = 1, 2, 3, 4

local function schedule_of(work, sku)
  local schedule = work.schedules[sku]
  if not schedule then
    local packed = redis.call('GET', key_of(work, 'schedule', sku))
    schedule = { entries = packed and cmsgpack.unpack(packed) or {} }
    work.schedules[sku] = schedule
  end
  return schedule
end

local function note_move(cell, day, supply_id, before, after)
  cell.moves = cell.moves or {}
  table.insert(cell.moves, { day, supply_id, before, after })
end

local function drop_entry(schedule, cell, index)
  local entry = table.remove(schedule.entries, index)
  schedule.dirty = true
  add(cell, 'scheduled', -1)
  note_move(cell, entry[DAY], entry[SUPPLY_ID], entry[DELTA], 0)
end

local function append_entry(schedule, cell, slot, day, delta, supply_id)
  table.insert(schedule.entries, { slot, day, delta, supply_id })
  schedule.dirty = true
  add(cell, 'scheduled', 1)
  note_move(cell, day, supply_id, 0, delta)
end

local function put_supply(work, sku, slot, supply_id, day, quantity)
  local schedule, cell = schedule_of(work, sku), cell_at(work, sku, slot)
  for index, entry in ipairs(schedule.entries) do
    if entry[SLOT] == slot and entry[SUPPLY_ID] == supply_id and entry[DELTA] > 0 then
      drop_entry(schedule, cell, index)
      break
    end
  end
  if quantity > 0 then append_entry(schedule, cell, slot, day, quantity, supply_id) end
end

local function supply_at(work, sku, slot, supply_id)
  local supply, pegged = nil, 0
  for _, entry in ipairs(schedule_of(work, sku).entries) do
    if entry[SLOT] == slot and entry[SUPPLY_ID] == supply_id then
      if entry[DELTA] > 0 then supply = entry else pegged = pegged - entry[DELTA] end
    end
  end
  return supply, pegged
end

local function add_dated_demand(work, sku, slot, day, quantity, supply_id)
  supply_id = supply_id or ''
  local schedule, cell = schedule_of(work, sku), cell_at(work, sku, slot)
  for index, entry in ipairs(schedule.entries) do
    if entry[SLOT] == slot and entry[DAY] == day and entry[SUPPLY_ID] == supply_id and entry[DELTA] < 0 then
      quantity = quantity - entry[DELTA]
      drop_entry(schedule, cell, index)
      break
    end
  end
  if quantity < 0 then error('invariant broken: dated demand of ' .. sku .. ' would be ' .. quantity) end
  if quantity > 0 then append_entry(schedule, cell, slot, day, -quantity, supply_id) end
end
