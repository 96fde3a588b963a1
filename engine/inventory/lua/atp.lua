-- Available to promise of one cell. Include after schedule.lua.
--
-- atp(work, sku, slot, day, today)  units that may be promised for `day` (an ordinal, not before today); may be negative
-- keep_back(work, buffers)           buffers: sku → node_id → units, or nil; the safety stock of those cells is at least that
-- ATP(d) = min over t ≥ d of on_hand - safety_stock - held - confirmed + supplies of today … t - dated demand up to t
-- Invariant: changes nothing; overdue supplies never count, overdue demand always does.

local function keep_back(work, buffers)
  for sku, of_sku in pairs(buffers or NONE) do
    for node_id, units in pairs(of_sku) do
      local slot = slot_of(work, node_id)
      if slot then cell_at(work, sku, slot).buffer = units end
    end
  end
end

local function kept_of(cell)
  if cell.buffer and cell.buffer > cell.safety_stock then return cell.buffer end
  return cell.safety_stock
end

local function available(cell)
  local kept, buffer = cell.safety_stock, cell.buffer
  if buffer and buffer > kept then kept = buffer end
  return cell.on_hand - kept - cell.held - cell.confirmed
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
