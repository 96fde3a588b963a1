-- Supplies and dated demand of a SKU, changed in memory. Include after cells.lua.
--
-- An entry is {slot, day, delta, supply_id}: a supply has delta > 0 and its id; dated demand has delta < 0 and the id of
-- the supply it is pegged to, or '' (summed per day and supply). Days are ordinals. The key schedule:<sku> is a cmsgpack
-- list in no order, absent if empty.
-- schedule_at(work, sku, slot)            what is scheduled at one position, indexed when it is first asked for:
--   {supplies = supply_id → entry, count = how many, demand = supply_id or '' → day → entry, pegged = supply_id → units,
--   days = list of days, in order, coming = day → units of supplies, going = day → units of demand}
-- supply_at(work, sku, slot, supply_id)   the entry of a supply or nil, and how many units are pegged to it
-- demand_at(work, sku, slot, day, supply_id)  units of dated demand
-- entries_at(work, sku, slot)             a list of all entries of a position
-- place_of_day(days, day)                 where the first of them stands that is not before a day
-- note_move(cell, day, supply_id, before, after)  for the journal
-- put_supply(…), add_dated_demand(…)      change one entry
-- Invariants: `scheduled` of a cell is the number of its entries, so that a cell with 0 needs no second key. A change looks
-- at one entry: what a call costs grows with what it changes and with what is scheduled, never with their product.

local MOST_SUPPLIES = 500  -- of one position: as in store.py, which says why
local SLOT, DAY, DELTA, SUPPLY_ID = 1, 2, 3, 4

-- Those that are used elsewhere; all others end with this file, of which the store can hold 200 names at once.
local schedule_of, schedule_at, place_of_day, supply_at, demand_at, entries_at, note_move, put_supply, add_dated_demand

do
function schedule_of(work, sku)
  local schedule = work.schedules[sku]
  if not schedule then
    local packed = redis.call('GET', key_of(work, 'schedule', sku))
    schedule = { entries = packed and cmsgpack.unpack(packed) or {}, places = {}, slots = {} }
    work.schedules[sku] = schedule
  end
  return schedule
end

function place_of_day(days, day)
  local low, high = 1, #days + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if days[middle] < day then low = middle + 1 else high = middle end
  end
  return low
end

local function count_units(at, day, delta, sign)
  local by_day = delta > 0 and at.coming or at.going
  at.levels = nil
  if not at.coming[day] and not at.going[day] then
    if at.is_sorted then table.insert(at.days, place_of_day(at.days, day), day) else at.days[#at.days + 1] = day end
  end
  by_day[day] = (by_day[day] or 0) + sign * math.abs(delta)
end

local function enter(at, entry, sign)
  local day, delta, supply_id = entry[DAY], entry[DELTA], entry[SUPPLY_ID]
  count_units(at, day, delta, sign)
  if delta > 0 then
    at.supplies[supply_id], at.count = sign > 0 and entry or nil, at.count + sign
    return
  end
  local by_day = at.demand[supply_id] or {}
  by_day[day], at.demand[supply_id] = sign > 0 and entry or nil, by_day
  if supply_id ~= '' then at.pegged[supply_id] = (at.pegged[supply_id] or 0) - sign * delta end
end

function schedule_at(work, sku, slot)
  local schedule = schedule_of(work, sku)
  local at = schedule.slots[slot]
  if not at then
    at = { supplies = {}, count = 0, demand = {}, pegged = {}, days = {}, coming = {}, going = {} }
    for place, entry in ipairs(schedule.entries) do
      if entry[SLOT] == slot then
        schedule.places[entry] = place
        enter(at, entry, 1)
      end
    end
    table.sort(at.days)
    at.is_sorted, schedule.slots[slot] = true, at
  end
  return at
end

function note_move(cell, day, supply_id, before, after)
  cell.moves = cell.moves or {}
  cell.moves[#cell.moves + 1] = { day, supply_id, before, after }
end

local function append_entry(schedule, at, cell, entry)
  local place = #schedule.entries + 1
  schedule.entries[place], schedule.places[entry] = entry, place
  enter(at, entry, 1)
  add(cell, 'scheduled', 1)
  note_move(cell, entry[DAY], entry[SUPPLY_ID], 0, entry[DELTA])
end

-- The last entry takes the place of the one that goes.
local function drop_entry(schedule, at, cell, entry)
  local place, last = schedule.places[entry], schedule.entries[#schedule.entries]
  schedule.entries[place], schedule.places[last] = last, place
  schedule.entries[#schedule.entries], schedule.places[entry] = nil, nil
  enter(at, entry, -1)
  add(cell, 'scheduled', -1)
  note_move(cell, entry[DAY], entry[SUPPLY_ID], entry[DELTA], 0)
end

local function change_delta(at, cell, entry, delta)
  enter(at, entry, -1)
  note_move(cell, entry[DAY], entry[SUPPLY_ID], entry[DELTA], delta)
  entry[DELTA] = delta
  enter(at, entry, 1)
end

local function put_entry(work, sku, slot, known, day, delta, supply_id)
  local schedule, at, cell = schedule_of(work, sku), schedule_at(work, sku, slot), cell_at(work, sku, slot)
  schedule.dirty, cell.dirty = true, true
  if known and known[DAY] == day and delta ~= 0 then
    change_delta(at, cell, known, delta)
    return
  end
  if known then drop_entry(schedule, at, cell, known) end
  if delta ~= 0 then append_entry(schedule, at, cell, { slot, day, delta, supply_id }) end
end

function put_supply(work, sku, slot, supply_id, day, quantity)
  put_entry(work, sku, slot, schedule_at(work, sku, slot).supplies[supply_id], day, quantity, supply_id)
end

function supply_at(work, sku, slot, supply_id)
  local at = schedule_at(work, sku, slot)
  return at.supplies[supply_id], at.pegged[supply_id] or 0
end

local function demand_entry(work, sku, slot, day, supply_id)
  local by_day = schedule_at(work, sku, slot).demand[supply_id]
  return by_day and by_day[day]
end

function demand_at(work, sku, slot, day, supply_id)
  local entry = demand_entry(work, sku, slot, day, supply_id)
  return entry and -entry[DELTA] or 0
end

function add_dated_demand(work, sku, slot, day, quantity, supply_id)
  supply_id = supply_id or ''
  local known = demand_entry(work, sku, slot, day, supply_id)
  local units = quantity - (known and known[DELTA] or 0)
  if units < 0 then error('invariant broken: dated demand of ' .. sku .. ' would be ' .. units) end
  if quantity ~= 0 then put_entry(work, sku, slot, known, day, -units, supply_id) end
end

function entries_at(work, sku, slot)
  local at, found = schedule_at(work, sku, slot), {}
  for _, entry in pairs(at.supplies) do found[#found + 1] = entry end
  for _, by_day in pairs(at.demand) do
    for _, entry in pairs(by_day) do found[#found + 1] = entry end
  end
  return found
end

end
