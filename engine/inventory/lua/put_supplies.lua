-- Adds, changes, re-dates and removes (quantity 0) supplies; lines pegged to them follow.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  who
-- ARGV[3]  cmsgpack list of {supply_id, node_id, sku, quantity, day}                ARGV[4]  cmsgpack today by node_id
-- ARGV[5]  how many reservations may be looked at for one SKU, if given     ARGV[6]  cmsgpack paged as in coverage.lua, or
--          absent: then ARGV[7] is what was found of those lines, packed as it goes into the answer
-- Returns  affected: the reservations whose lines move or are not covered any more, as in coverage.lua
--          too_many_supplies: a list of {index, sku, node_id, how many there would be, how many may be} of new ones that do
--          not fit
-- Invariant: a supply_id names at most one supply of a (sku, node); quantities of cells stay as they are, but for holds
-- found past their deadline. It is never refused for what it does to reservations: what is to come is what it is. One that
-- is as it was costs nothing. The hash `following` names supplies whose lines follow behind a call, until they have.

-- The new supplies that find no room beside those that stay; changing and removing is never too much.
local function too_many(news)
  local room, found = {}, {}
  for _, new in ipairs(news) do
    local at = new.at
    room[at] = (room[at] or MOST_SUPPLIES - at.count + at.added) - 1
    if room[at] < 0 then found[#found + 1] = { new.index, new.sku, new.node_id, at.count, MOST_SUPPLIES } end
  end
  return found
end

local function put_row(work, index, row, news)
  local supply_id, node_id, sku, quantity, day = unpack(row)
  local slot = new_slot(work, node_id)
  local known, at = supply_at(work, sku, slot, supply_id), schedule_at(work, sku, slot)
  row[MOVES] = not known or known[DAY] ~= day
  if known and work.has_following and redis.call('HEXISTS', key_of(work, 'following'), name_of(supply_id, node_id, sku)) == 1 then
    row[MOVES] = true
  end
  if quantity == (known and known[DELTA] or 0) and not (known and known[DAY] ~= day) then return end
  if not known then
    at.added = (at.added or 0) + 1
    news[#news + 1] = { index = index - 1, sku = sku, node_id = node_id, at = at }
  end
  put_supply(work, sku, slot, supply_id, day, quantity)
  because(cell_at(work, sku, slot), supply_id)
end

register_once('allot_put_supplies_v1', function(keys, args)
  local work, now, news = open_work(keys[1], 'put_supplies', args), now_ms(), {}
  local rows, today = cmsgpack.unpack(args[1]), cmsgpack.unpack(args[2])
  local most, paged = tonumber(args[3]), args[4] and cmsgpack.unpack(args[4])
  work.has_following = most and redis.call('EXISTS', key_of(work, 'following')) == 1
  for index, row in ipairs(rows) do put_row(work, index, row, news) end
  local refused = too_many(news)
  if #refused > 0 then return refusal('too_many_supplies', refused) end
  local affected = follow_supplies(work, rows, today, now, most, paged)
  commit_work(work)
  for name, is_behind in pairs(paged or NONE) do
    if is_behind == 1 then redis.call('HSET', key_of(work, 'following'), name, now) end
  end
  if paged and #affected == 0 then return '\146' .. cmsgpack.pack('affected') .. args[5] end  -- it may be megabytes
  for _, row in ipairs(paged and cmsgpack.unpack(args[5]) or NONE) do affected[#affected + 1] = row end
  return cmsgpack.pack({ 'affected', affected })
end)
