-- Holding the lines of one reservation in the unit of work. Include after replies.lua.
--
-- A hold is {id, milliseconds to live, lines, hash of the lines, reference or false, channel or false, promised_on or 0},
-- and where holds are limited {…, holder, how many may be open}, and what the promise behind it said, if there was one;
-- lines: a list of {sku, node_id, quantity, ship_on or 0}, and where one names a supply {…, 0, 0, supply_id}, with room for
-- what place_lines finds; by their hash a hold that comes again is known.
-- try_hold(work, hold, today, now)  a list: held, milliseconds of the deadline · reservation, if the same hold came before
-- or it has pegged lines · short · unpeggable · too_many_holds, holder, how many are open, how many may be · taken (the id
-- has other lines) · forestalled · past; today: the day ordinal by node_id. With `crossing`, {partitions, mark}, only the
-- lines that mark(lines) returns are taken here
-- Invariant: no cell's ATP goes below zero by a hold.

local ID, TTL_MS, LINES, ASKED, REFERENCE, CHANNEL, PROMISED_ON, HOLDER, MOST = 1, 2, 3, 4, 5, 6, 7, 8, 9

local function held_again(id, known, asked)
  if known.state == 'forestalled' then return { 'forestalled', id } end
  if known.asked ~= asked then return { 'taken', id } end
  if not FIELD_OF[known.state] then return { 'past', id, known.state, 'hold' } end
  return reservation_row(id, known)
end

local function take_at_once(work, lines, id)
  local cells, at, units = {}, {}, {}
  for i, line in ipairs(lines) do
    cells[i] = line[DATED] == 0 and line[LINE_SLOT] >= 0 and cell_at(work, line[SKU], line[LINE_SLOT])
    at[i], units[i] = i, line[QUANTITY]
  end
  return hold_at_once(cells, at, units, 1, #lines, id)
end

local function try_hold(work, hold, today, now, crossing)
  local id, asked, lines = hold[ID], hold[ASKED], hold[LINES]
  local known = reservation_at(work, id, now)
  if known then return held_again(id, known, asked) end
  local holder = hold[HOLDER]
  if holder and open_of(work, holder) >= hold[MOST] then
    return { 'too_many_holds', holder, open_of(work, holder), hold[MOST] }
  end
  local has_pegs = place_lines(work, lines, today)
  local wanted = crossing and crossing.mark(lines) or lines
  if has_pegs then
    local refused = peg_lines(work, wanted, today)
    if #refused > 0 then return { 'unpeggable', refused } end
  end
  if not take_at_once(work, wanted, id) then
    local short = short_lines(work, wanted, today, hold[CHANNEL])
    if #short > 0 then return { 'short', short } end
    take(work, wanted, 'held', id, hold[CHANNEL])
  end
  local expires = now + hold[TTL_MS]
  put_reservation(work, id, { state = 'held', expires = expires, lines = lines, asked = asked,
    reference = hold[REFERENCE], channel = hold[CHANNEL], promised_on = hold[PROMISED_ON], consumed = false,
    parts = crossing and crossing.partitions, holder = holder or nil, promised = hold[MOST + 1] or nil })
  if holder then count_on(work, holder) end
  if has_pegs then return reservation_row(id, work.reservations[id]) end
  return { 'held', expires }
end
