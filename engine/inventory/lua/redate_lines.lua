-- Moves lines that are pegged to a supply to another day, a page of reservations at a time, or says where they would move.
-- KEYS[1]  any key of the partition (deadlines)
-- ARGV[1]  who      ARGV[2]  cmsgpack {supply_id, node_id, sku, day, from which event on, at most how many reservations (and
--          those that came with the last of them), 1 to move them, 0 only to say}
-- Returns  cmsgpack {the event to go on from or 0, list of rows as in coverage.lua, all with their day, none short}
-- Invariants: no line ships before its supply is expected, whatever else is going on; units stay the same.

local function page_of(work, sku, from, most)
  local key, ids = key_of(work, 'dated', sku), {}
  local found = redis.call('ZRANGE', key, from, '+inf', 'BYSCORE', 'LIMIT', 0, most, 'WITHSCORES')
  if #found < 2 * most then
    for i = 1, #found, 2 do ids[#ids + 1] = found[i] end
    return ids, 0
  end
  local last = found[#found]
  for i = 1, #found, 2 do
    if found[i + 1] ~= last then ids[#ids + 1] = found[i] end
  end
  for _, id in ipairs(redis.call('ZRANGE', key, last, last, 'BYSCORE')) do ids[#ids + 1] = id end
  return ids, tonumber(last) + 1
end

redis.register_function('allot_redate_lines_v1', function(keys, args)
  local work, now, rows, moved = open_work(keys[1], 'put_supplies', args), now_ms(), {}, {}
  local supply_id, node_id, sku, day, from, most, is_move = unpack(cmsgpack.unpack(args[1]))
  local slot = slot_of(work, node_id)
  local ids, go_on = page_of(work, sku, string.format('%.0f', from), most)
  local reservations = dated_reservations(work, sku, now, ids)
  local supply, cell = supply_at(work, sku, slot, supply_id), cell_at(work, sku, slot)
  for _, entry in ipairs(reservations) do
    for _, line in ipairs(entry[2].lines) do
      if line[DATED] == 1 and line[SKU] == sku and line[LINE_SLOT] == slot and line[PEG] == supply_id then
        local before, after = line[SHIP_ON], supply and math.max(line[NOT_BEFORE], day) or line[SHIP_ON]
        rows[#rows + 1] = { entry[1], entry[2].order_id or '', entry[2].state, sku, node_id, line[QUANTITY], supply_id, before,
          after, 0, after }
        if is_move == 1 and after ~= before and after >= supply[DAY] then
          moved[before] = (moved[before] or 0) - line[QUANTITY]
          moved[after] = (moved[after] or 0) + line[QUANTITY]
          line[SHIP_ON], entry[2].dirty = after, true
          because(cell, 're-dated ' .. entry[1])
        end
      end
    end
  end
  for on, units in pairs(moved) do add_dated_demand(work, sku, slot, on, units, supply_id) end
  commit_work(work)
  return cmsgpack.pack({ go_on, rows })
end)
