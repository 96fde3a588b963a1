-- Lines pegged to supplies. Include after demand.lua.
--
-- A pegged line has two members more, {…, supply_id, not before}: it ships on the day its supply is expected, or on the
-- day `not before` (an ordinal, 0 for none) if that is later. It is dated until its units are received (receive.lua),
-- and keeps the supply_id after that.
-- peg_lines(work, lines, today)  dates the pegged ones of lines that were placed; returns a list of
--                                {index of the line, problem, supply_id, sku, node_id, asked, found}, empty if all can be had
--   problem: unknown (found 0) · overdue (found: its day) · too_little (found: the units that are not pegged)
-- Invariant: a hold never pegs more units to a supply than it has; demand is summed per supply before it is checked.

local function ask_of(work, asks, line)
  local place = #line[PEG] .. ':' .. line[PEG] .. #line[SKU] .. ':' .. line[SKU] .. line[NODE]
  if not asks[place] then
    local supply, pegged = nil, 0
    if line[LINE_SLOT] >= 0 then supply, pegged = supply_at(work, line[SKU], line[LINE_SLOT], line[PEG]) end
    asks[place] = { supply = supply, left = supply and supply[DELTA] - pegged, units = 0, line = line }
    asks[#asks + 1] = asks[place]
  end
  return asks[place]
end

local function problem_of(ask, today)
  if not ask.supply then return 'unknown', 0 end
  if ask.supply[DAY] < today[ask.line[NODE]] then return 'overdue', ask.supply[DAY] end
  if ask.units > ask.left then return 'too_little', ask.left end
end

local function peg_lines(work, lines, today)
  local asks, refused = {}, {}
  for i, line in ipairs(lines) do
    if line[PEG] then
      local ask = ask_of(work, asks, line)
      ask.index, ask.units = ask.index or i - 1, ask.units + line[QUANTITY]
      if ask.supply then
        line[NOT_BEFORE], line[DATED] = line[NOT_BEFORE] or line[SHIP_ON], 1  -- it may be the second try
        line[SHIP_ON] = math.max(line[NOT_BEFORE], ask.supply[DAY])
      end
    end
  end
  for _, ask in ipairs(asks) do
    local problem, found = problem_of(ask, today)
    if problem then
      refused[#refused + 1] = { ask.index, problem, ask.line[PEG], ask.line[SKU], ask.line[NODE], ask.units, found }
    end
  end
  return refused
end
