-- Taking some lines out of a reservation. Include after replies.lua.
--
-- split_lines(reservation, wanted)  wanted: a list of lines as a hold asks for them (holding.lua), or an empty list for all;
-- one that names a supply means units pegged to it, whatever day they ship on and whether they have come or not
-- Returns the lines taken out, the lines that stay, and a list of {sku, node_id, asked, reserved} where it was too much
-- (then nothing may be done). Lines are those of demand.lua. Changes nothing.
-- leave_node(work, lines, id, channel)  takes confirmed lines of here off on_hand and reserved; returns a list of {sku, node_id, asked,
-- on_hand} where there is less (then nothing is changed)
-- Invariant: taken out + stay = what was reserved, unit for unit.

local function place_of(line)
  local place = #line[SKU] .. ':' .. line[SKU] .. line[NODE]
  if line[PEG] then return 'pegged ' .. #line[PEG] .. ':' .. line[PEG] .. place end
  return place .. ':' .. line[SHIP_ON]
end

local function split_lines(reservation, wanted)
  if #wanted == 0 then return reservation.lines, {}, {} end
  local asked, taken_out, stay, too_many = {}, {}, {}, {}
  for _, line in ipairs(wanted) do asked[place_of(line)] = (asked[place_of(line)] or 0) + line[QUANTITY] end
  local function part(line, quantity)
    return { line[SKU], line[NODE], quantity, line[SHIP_ON], line[LINE_SLOT], line[DATED], line[PEG], line[NOT_BEFORE] }
  end
  local left = {}
  for place, quantity in pairs(asked) do left[place] = quantity end
  for _, line in ipairs(reservation.lines) do
    local out = math.min(line[QUANTITY], left[place_of(line)] or 0)
    if out > 0 then
      taken_out[#taken_out + 1] = part(line, out)
      left[place_of(line)] = left[place_of(line)] - out
    end
    if out < line[QUANTITY] then stay[#stay + 1] = part(line, line[QUANTITY] - out) end
  end
  for _, line in ipairs(wanted) do
    local place = place_of(line)
    if left[place] > 0 then
      too_many[#too_many + 1] = { line[SKU], line[NODE], asked[place], asked[place] - left[place] }
      left[place] = 0
    end
  end
  return taken_out, stay, too_many
end

local function leave_node(work, lines, id, channel)
  local leaving, not_on_hand = {}, {}
  for _, line in ipairs(lines) do
    if line[DATED] ~= FAR then
      local cell = cell_at(work, line[SKU], line[LINE_SLOT])
      if not leaving[cell] then leaving[cell] = { line[SKU], line[NODE], 0, cell.on_hand } end
      leaving[cell][3] = leaving[cell][3] + line[QUANTITY]
      if leaving[cell][3] > cell.on_hand and not leaving[cell].named then
        leaving[cell].named, not_on_hand[#not_on_hand + 1] = true, leaving[cell]
      end
    end
  end
  for _, row in ipairs(not_on_hand) do row.named = nil end
  if #not_on_hand > 0 then return not_on_hand end
  give_back(work, lines, 'confirmed', id, channel)
  for cell, row in pairs(leaving) do
    if not is_unlimited(cell) then
      add(cell, 'on_hand', -row[3])
      add(cell, 'version', 1)
    end
  end
  return not_on_hand
end
