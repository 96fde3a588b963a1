-- Taking some lines out of a reservation. Include after replies.lua.
--
-- split_lines(reservation, wanted)  wanted: a list of lines as a hold asks for them (holding.lua), or an empty list for all;
-- one that names a supply means units pegged to it, whatever day they ship on and whether they have come or not
-- Returns the lines taken out, the lines that stay, and a list of {sku, node_id, asked, reserved} where it was too much
-- (then nothing may be done). Lines are those of demand.lua. Changes nothing.
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
