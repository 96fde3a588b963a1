-- Holding a part of a reservation, see parts.lua, in the unit of work. Include after holding.lua.
--
-- try_part(work, hold, from, today, now)  holding.lua for a part; from: {home, token, patience in ms}. Returns {'held', now,
-- token of the attempt that made it, its lines if there are pegged ones, else false} · short · unpeggable · taken · late (the
-- attempt was given up)
-- Invariant: a part that is there already stays with the attempt that made it.

local function rows_of(lines)
  local rows = {}
  for i, line in ipairs(lines) do rows[i] = { line[SKU], line[NODE], line[QUANTITY], line[SHIP_ON], line[PEG] } end
  return rows
end

local function has_peg(lines)
  for _, line in ipairs(lines) do
    if line[PEG] then return true end
  end
  return false
end

local function part_held(now, part)
  return { 'held', now, part.token, has_peg(part.lines) and rows_of(part.lines) or false }
end

local function try_part(work, hold, from, today, now)
  local id, known, home, token, patience = hold[ID], part_at(work, hold[ID]), unpack(from)
  if known and known.state ~= 'closed' then
    if known.asked ~= hold[ASKED] then return { 'taken', id } end
    return part_held(now, known)
  end
  if known and known.token == token then return { 'late', id } end
  local lines = hold[LINES]
  if place_lines(work, lines, today) then
    local refused = peg_lines(work, lines, today)
    if #refused > 0 then return { 'unpeggable', refused } end
  end
  if not take_at_once(work, lines, id) then
    local short = short_lines(work, lines, today, hold[CHANNEL])
    if #short > 0 then return { 'short', short } end
    take(work, lines, 'held', id, hold[CHANNEL])
  end
  local part = { state = 'held', home = home, token = token, version = 0, lines = lines, eaten = {}, asked = hold[ASKED],
    channel = hold[CHANNEL],    due = now + math.min(hold[TTL_MS], patience), patience = now + patience, dated = known and known.dated }
  put_part(work, id, part)
  return part_held(now, part)
end
