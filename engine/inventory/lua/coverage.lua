-- What becomes of dated demand when supplies change. Include after commit.lua.
--
-- Pegged lines follow their supply: its day is theirs (pegs.lua), and its units cover them in order of their days, first
-- come first. All other dated lines of a cell are covered in that order too, each by its day, from what is available
-- today and from the units of supplies, from today on, that nothing is pegged to. Nothing of this is kept.
-- follow_supplies(work, rows, today, now, most, paged)  rows: a list of {supply_id, node_id, sku, quantity, day, whether that day is
-- another one than before} of supplies that were put
-- Returns a list of {reservation, order or '', state, sku, node_id, quantity, supply_id or '', day before, day, shortfall,
-- day it is covered on or 0}: pegged lines that moved or are uncovered, others that are short
-- dated_lines(work, sku, slot, supply_id, now)  a list of {id, reservation, line, before = its day}, in order of coming
-- sort_lines(found)  such a list, by day, first come first
-- Invariant: the units of dated demand stay the same, only the days of pegged lines move.

local function sort_lines(found)
  for i, entry in ipairs(found) do entry.came = i end
  table.sort(found, function(a, b)
    if a.line[SHIP_ON] ~= b.line[SHIP_ON] then return a.line[SHIP_ON] < b.line[SHIP_ON] end
    return a.came < b.came
  end)
  return found
end

-- Returns a list of {day, units there by then}, the first one of today: what lines that are not pegged may count on.
local function free_by_day(work, sku, slot, today)
  local at, supplies, level = schedule_at(work, sku, slot), {}, available(cell_at(work, sku, slot))
  for _, entry in pairs(at.supplies) do
    if entry[DAY] >= today then supplies[#supplies + 1] = entry end
  end
  table.sort(supplies, function(a, b) return a[DAY] < b[DAY] end)
  local steps = { { today, level } }
  for _, supply in ipairs(supplies) do
    level = level + math.max(0, supply[DELTA] - (at.pegged[supply[SUPPLY_ID]] or 0))
    steps[#steps + 1] = { supply[DAY], level }
  end
  return steps
end

-- `wanted` is a list of {day, units} by day. Returns for each how many units are not there by then, and when they are, or 0.
-- Levels and sums only rise, so one walk along the steps is enough.
local function shortfalls(steps, wanted)
  local short, covered_on, total, at, enough = {}, {}, 0, 1, 1
  for i, want in ipairs(wanted) do
    total = total + want[2]
    while steps[at + 1] and steps[at + 1][1] <= want[1] do at = at + 1 end
    while steps[enough] and steps[enough][2] < total do enough = enough + 1 end
    short[i] = math.min(want[2], math.max(0, total - steps[at][2]))
    covered_on[i] = steps[enough] and steps[enough][1] or 0
  end
  return short, covered_on
end

local function is_any_short(work, sku, slot, today)
  local wanted = {}
  for day, entry in pairs(schedule_at(work, sku, slot).demand[''] or NONE) do wanted[#wanted + 1] = { day, -entry[DELTA] } end
  if #wanted == 0 then return false end
  table.sort(wanted, function(a, b) return a[1] < b[1] end)
  for _, units in ipairs((shortfalls(free_by_day(work, sku, slot, today), wanted))) do
    if units > 0 then return true end
  end
  return false
end

-- Returns by SKU, slot and supply_id ('' for none) the dated lines of reservations, in order of coming.
local function group_lines(work, sku, now)
  local groups = {}
  for _, entry in ipairs(dated_reservations(work, sku, now)) do
    for _, line in ipairs(entry[2].lines) do
      if line[DATED] == 1 and line[SKU] == sku then
        local of_slot, supply_id = groups[line[LINE_SLOT]] or {}, line[PEG] or ''
        groups[line[LINE_SLOT]], of_slot[supply_id] = of_slot, of_slot[supply_id] or {}
        table.insert(of_slot[supply_id], { id = entry[1], reservation = entry[2], line = line, before = line[SHIP_ON] })
      end
    end
  end
  return groups
end

-- `supply_id` '' means the lines that are not pegged. Each is looked at once in a call: lines that were received, or have
-- another day, stand in their group as they stood before.
local function dated_lines(work, sku, slot, supply_id, now)
  work.dated_lines = work.dated_lines or {}
  work.dated_lines[sku] = work.dated_lines[sku] or group_lines(work, sku, now)
  local of_slot = work.dated_lines[sku][slot]
  return of_slot and of_slot[supply_id] or {}
end

local function tell(affected, cell, entry, short, covered_on)
  local line = entry.line
  affected[#affected + 1] = { entry.id, entry.reservation.order_id or '', entry.reservation.state, line[SKU], line[NODE],
    line[QUANTITY], line[PEG] or '', entry.before, line[SHIP_ON], short, covered_on }
  because(cell, (short > 0 and 'uncovered ' or 're-dated ') .. entry.id)
end

-- Moves lines to the day of their supply, and what is booked of them, day by day.
local function move_lines(work, sku, slot, supply, found)
  local moved = {}
  for _, entry in ipairs(found) do
    local line = entry.line
    local day = math.max(line[NOT_BEFORE], supply[DAY])
    if day ~= line[SHIP_ON] then
      moved[line[SHIP_ON]] = (moved[line[SHIP_ON]] or 0) - line[QUANTITY]
      moved[day] = (moved[day] or 0) + line[QUANTITY]
      line[SHIP_ON], entry.reservation.dirty = day, true
    end
  end
  for day, units in pairs(moved) do add_dated_demand(work, sku, slot, day, units, supply[SUPPLY_ID]) end
end

local function follow_supply(work, sku, slot, supply_id, now, affected)
  local found, cell = dated_lines(work, sku, slot, supply_id, now), cell_at(work, sku, slot)
  local supply = supply_at(work, sku, slot, supply_id)
  if supply then move_lines(work, sku, slot, supply, found) end
  local left = supply and supply[DELTA] or 0
  for _, entry in ipairs(sort_lines(found)) do
    local short = math.max(0, entry.line[QUANTITY] - left)
    left = math.max(0, left - entry.line[QUANTITY])
    if short > 0 or entry.line[SHIP_ON] ~= entry.before then
      tell(affected, cell, entry, short, short == 0 and entry.line[SHIP_ON] or 0)
    end
  end
end

local function tell_short(work, sku, slot, today, now, affected)
  local found, wanted = sort_lines(dated_lines(work, sku, slot, '', now)), {}
  for i, entry in ipairs(found) do wanted[i] = { entry.line[SHIP_ON], entry.line[QUANTITY] } end
  local short, covered_on = shortfalls(free_by_day(work, sku, slot, today), wanted)
  for i, entry in ipairs(found) do
    if short[i] > 0 then tell(affected, cell_at(work, sku, slot), entry, short[i], covered_on[i]) end
  end
end

local PUT_QUANTITY, MOVES = 4, 6

local function name_of(supply_id, node_id, sku) return #supply_id .. ':' .. supply_id .. #node_id .. ':' .. node_id .. sku end

-- Says whether the lines of a supply follow in pages (redate_lines.lua), before this call or behind it. Until they have, they
-- ship later than they could; that they would ship before their supply comes is what stops the call.
local function follows_later(work, row, slot, paged)
  local supply_id, node_id, sku = unpack(row)
  local name = name_of(supply_id, node_id, sku)
  if not paged[name] then return false end
  local at = schedule_at(work, sku, slot)
  local supply = at.supplies[supply_id]
  for day in pairs(supply and at.demand[supply_id] or NONE) do
    if day < supply[DAY] then error({ err = 'LINESFIRST lines of ' .. sku .. ' would ship before their supply' }) end
  end
  return true
end

-- The cells of the rows in order of first mention, each with those of its supplies that pegged lines have to follow.
local function changed_cells(work, rows, paged)
  local cells, known = {}, {}
  for _, row in ipairs(rows) do
    local supply_id, node_id, sku = unpack(row)
    local slot = slot_of(work, node_id)
    local place = slot .. ':' .. sku
    if not known[place] then
      known[place] = { sku = sku, slot = slot, node_id = node_id, supply_ids = {} }
      cells[#cells + 1] = known[place]
    end
    local _, pegged = supply_at(work, sku, slot, supply_id)
    if pegged > 0 and (row[MOVES] or row[PUT_QUANTITY] < pegged) and not (paged and follows_later(work, row, slot, paged)) then
      table.insert(known[place].supply_ids, supply_id)
    end
  end
  return cells
end

-- `most` reservations may be looked at for one SKU, if that is said; `paged`: the supplies whose lines follow in pages, by
-- name_of, 1 where they do behind this call. Then other lines that are short are not told.
local function follow_supplies(work, rows, today, now, most, paged)
  local affected = {}
  for _, changed in ipairs(changed_cells(work, rows, paged)) do
    local sku, slot, day = changed.sku, changed.slot, today[changed.node_id]
    local is_long = most and redis.call('ZCARD', key_of(work, 'dated', sku)) > most
    if is_long and #changed.supply_ids > 0 then error({ err = 'MANYLINES wait for supplies of ' .. sku }) end
    if not is_long and (#changed.supply_ids > 0 or is_any_short(work, sku, slot, day)) then
      for _, supply_id in ipairs(changed.supply_ids) do follow_supply(work, sku, slot, supply_id, now, affected) end
      tell_short(work, sku, slot, day, now, affected)
    end
  end
  return affected
end
