-- Checking and taking demand. Include after quotas.lua.
--
-- A line is {sku, node_id, quantity, ship_on, slot, dated}: ship_on is a day ordinal or 0; a line is dated (1, else 0)
-- if it ships after its node's today, or waits for a supply it is pegged to (pegs.lua). Undated lines live in a cell
-- field, `held` or `confirmed`; dated ones in the schedule, whatever the state of their reservation. A line that is FAR
-- (dated 2) belongs to a reservation of here, but its SKU lives in another partition (parts.lua): it is in no cell here.
-- place_lines(work, lines, today)  sets slot and dated of lines as asked for; returns whether one is pegged
-- short_lines(work, lines, today, channel, own)  a list of {sku, node_id, quantity, available}, empty if all can be taken by
-- the channel (nil, false: none); `own`: lines just given back, or nil, of which quotas of others take nothing
-- hold_at_once(cells, at, units, first, last, why)  holds units[i] of cells[at[i]] for each i, the common case: returns false, and
-- changes nothing, if one of these is not there (false), is short, or has a schedule or quotas
-- take(work, lines, field, why, channel), give_back(work, lines, field, why, channel)  change cells, schedules and what the
-- channel uses (no channel: left as it is), in memory; why: who for
-- Invariant: demand is summed per (sku, node, day) before it is checked, so repeated lines cannot pass one by one.

local SKU, NODE, QUANTITY, SHIP_ON, LINE_SLOT, DATED, PEG, NOT_BEFORE = 1, 2, 3, 4, 5, 6, 7, 8
local FAR = 2

local function place_lines(work, lines, today)
  local has_pegs = false
  for _, line in ipairs(lines) do
    line[LINE_SLOT] = slot_of(work, line[NODE]) or -1
    line[DATED] = line[SHIP_ON] > today[line[NODE]] and 1 or 0
    if line[PEG] then has_pegs = true end
  end
  return has_pegs
end

-- Returns a list of the sums in order of first mention; those of one (sku, node) share their list `days`.
local function sum_demand(lines, today)
  local sums, by_place = {}, {}
  for _, line in ipairs(lines) do
    local day = line[DATED] == 1 and line[SHIP_ON] or today[line[NODE]]
    local place = #line[SKU] .. ':' .. line[SKU] .. line[NODE]
    local days, sum = by_place[place], nil
    if not days then days = {}; by_place[place] = days end
    for _, known in ipairs(days) do
      if known.day == day then sum = known end
    end
    if not sum then
      sum = { sku = line[SKU], node_id = line[NODE], slot = line[LINE_SLOT], day = day, quantity = 0, days = days }
      days[#days + 1], sums[#sums + 1] = sum, sum
    end
    sum.quantity = sum.quantity + line[QUANTITY]
  end
  return sums
end

-- Returns the units at the place of a sum that lines take by its day.
local function units_by(lines, sum, today)
  local units = 0
  for _, line in ipairs(lines or {}) do
    local day = line[DATED] == 1 and line[SHIP_ON] or today[line[NODE]]
    if line[SKU] == sum.sku and line[NODE] == sum.node_id and day and day <= sum.day then units = units + line[QUANTITY] end
  end
  return units
end

local function free_of(work, sum, today, channel, own)
  if sum.slot < 0 then return 0 end
  local level, cell = atp(work, sum.sku, sum.slot, sum.day, today[sum.node_id]), cell_at(work, sum.sku, sum.slot)
  if cell.quotas == 0 then return level end
  return math.max(free_to(work, cell, channel, level), math.min(level, units_by(own, sum, today)))
end

local function short_lines(work, lines, today, channel, own)
  local short = {}
  for _, sum in ipairs(sum_demand(lines, today)) do
    local free = free_of(work, sum, today, channel, own)
    for _, other in ipairs(sum.days) do  -- what this request takes before that day is gone on that day too
      if other.day < sum.day then free = free - other.quantity end
    end
    if sum.slot >= 0 and sum.day == today[sum.node_id] then
      local cell = cell_at(work, sum.sku, sum.slot)
      free = math.min(free, MAX_UNITS - cell.held - cell.confirmed)
    end
    if sum.quantity > free then short[#short + 1] = { sum.sku, sum.node_id, sum.quantity, free } end
  end
  return short
end

local function hold_at_once(cells, at, units, first, last, why)
  for i = first, last do
    local cell, wanted = cells[at[i]], units[i]
    if not cell or cell.scheduled > 0 or cell.quotas > 0 or available(cell) < wanted then
      for j = first, i - 1 do cells[at[j]].held = cells[at[j]].held - units[j] end
      return false
    end
    cell.held = cell.held + wanted
  end
  for i = first, last do
    local cell = cells[at[i]]
    cell.dirty = true
    because(cell, why)
  end
  return true
end

local function move(work, lines, field, sign, why, channel)
  for _, line in ipairs(lines) do
    if line[DATED] ~= FAR then
      local cell = cell_at(work, line[SKU], line[LINE_SLOT])
      because(cell, why)
      count_used(work, cell, channel, sign * line[QUANTITY])
      if line[DATED] == 1 then
        add_dated_demand(work, line[SKU], line[LINE_SLOT], line[SHIP_ON], sign * line[QUANTITY], line[PEG])
      else
        add(cell, field, sign * line[QUANTITY])
      end
    end
  end
end

local function take(work, lines, field, why, channel) move(work, lines, field, 1, why, channel) end
local function give_back(work, lines, field, why, channel) move(work, lines, field, -1, why, channel) end
