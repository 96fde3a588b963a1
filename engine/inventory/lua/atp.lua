-- Available to promise of one cell. Include after schedule.lua.
--
-- atp(work, sku, slot, day, today)  units that may be promised for `day` (an ordinal, not before today); may be negative
-- keep_back(work, buffers)           buffers: sku → node_id → units, or nil; the safety stock of those cells is at least that
-- ATP(d) = min over t ≥ d of on_hand - safety_stock - held - confirmed + supplies of today … t - dated demand up to t
-- Of one day, supplies come before demand: what counts is the end of the day.
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

local function available(cell) return cell.on_hand - kept_of(cell) - cell.held - cell.confirmed end

-- What the schedule of a position adds by the end of each of its days, and the least of that day and all later ones.
local function levels_at(at, today)
  local levels = at.levels
  if not levels or levels.today ~= today then
    local total, by_end, least = 0, {}, {}
    for i, day in ipairs(at.days) do
      total = total + (day >= today and at.coming[day] or 0) - (at.going[day] or 0)
      by_end[i] = total
    end
    for i = #by_end, 1, -1 do least[i] = math.min(by_end[i], least[i + 1] or by_end[i]) end
    levels = { today = today, by_end = by_end, least = least }
    at.levels = levels
  end
  return levels
end

local function atp(work, sku, slot, day, today)
  local cell = cell_at(work, sku, slot)
  if cell.scheduled == 0 then return available(cell) end
  local at = schedule_at(work, sku, slot)
  local levels, after = levels_at(at, today), place_of_day(at.days, day + 1)
  local level = levels.by_end[after - 1] or 0
  return available(cell) + math.min(level, levels.least[after] or level)
end
