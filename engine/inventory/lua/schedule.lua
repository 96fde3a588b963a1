-- Supplies and dated demand of a SKU, and ATP over them. Include after cells.lua.
--
-- An entry is {slot, day, delta, supply_id}: a supply has delta > 0 and its id, dated demand has delta < 0 and id ''
-- (summed per day). Days are ordinals. The key schedule:<sku> is a cmsgpack list, absent if empty.
-- ATP(d) = min over t ≥ d of on_hand - safety_stock - held - confirmed + supplies of today … t - dated demand up to t
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

local function drop_entry(schedule, cell, index)
  table.remove(schedule.entries, index)
  schedule.dirty = true
  add(cell, 'scheduled', -1)
end

local function append_entry(schedule, cell, slot, day, delta, supply_id)
  table.insert(schedule.entries, { slot, day, delta, supply_id })
  schedule.dirty = true
  add(cell, 'scheduled', 1)
end

local function put_supply(work, sku, slot, supply_id, day, quantity)
  local schedule, cell = schedule_of(work, sku), cell_at(work, sku, slot)
  for index, entry in ipairs(schedule.entries) do
    if entry[SLOT] == slot and entry[SUPPLY_ID] == supply_id then
      drop_entry(schedule, cell, index)
      break
    end
  end
  if quantity > 0 then append_entry(schedule, cell, slot, day, quantity, supply_id) end
end

local function add_dated_demand(work, sku, slot, day, quantity)
  local schedule, cell = schedule_of(work, sku), cell_at(work, sku, slot)
  for index, entry in ipairs(schedule.entries) do
    if entry[SLOT] == slot and entry[DAY] == day and entry[SUPPLY_ID] == '' then
      quantity = quantity - entry[DELTA]
      drop_entry(schedule, cell, index)
      break
    end
  end
  if quantity < 0 then error('invariant broken: dated demand of ' .. sku .. ' would be ' .. quantity) end
  if quantity > 0 then append_entry(schedule, cell, slot, day, -quantity, '') end
end

local function available(cell)
  return cell.on_hand - cell.safety_stock - cell.held - cell.confirmed
end

local function atp(work, sku, slot, day, today)
  local cell = cell_at(work, sku, slot)
  local level = available(cell)
  if cell.scheduled == 0 then return level end
  local later = {}
  for _, entry in ipairs(schedule_of(work, sku).entries) do
    if entry[SLOT] == slot and (entry[DELTA] < 0 or entry[DAY] >= today) then
      if entry[DAY] <= day then level = level + entry[DELTA] else later[#later + 1] = entry end
    end
  end
  -- Of one day, supplies come before demand: ATP looks at the end of the day.
  table.sort(later, function(a, b) return a[DAY] < b[DAY] or (a[DAY] == b[DAY] and a[DELTA] > b[DELTA]) end)
  local lowest = level
  for _, entry in ipairs(later) do
    level = level + entry[DELTA]
    if level < lowest then lowest = level end
  end
  return lowest
end

local function write_schedules(work)
  for sku, schedule in pairs(work.schedules) do
    if schedule.dirty then
      if #schedule.entries == 0 then
        redis.call('DEL', key_of(work, 'schedule', sku))
      else
        redis.call('SET', key_of(work, 'schedule', sku), cmsgpack.pack(schedule.entries))
      end
      schedule.dirty = false
    end
  end
end
