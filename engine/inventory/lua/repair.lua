-- Sets what is reserved of positions to what their reservations add up to, unless they have changed since that was found.
-- KEYS[1]  any key of the partition (deadlines)
-- ARGV[1]  who
-- ARGV[2]  cmsgpack {positions, deadlines}: a list of {sku, node_id, last event, held, confirmed, list of {day, units,
--          supply they are pegged to or ''}, channel → used} and a list of reservation ids
-- Returns  cmsgpack {a list of 1 (done) or 0 (changed since), the same for the deadlines}
-- Invariant: on_hand, safety_stock, version and supplies are left alone.

local function repair_position(work, row)
  local sku, node_id, event, held, confirmed, dated, used = unpack(row)
  local slot = slot_of(work, node_id)
  local cell = cell_at(work, sku, slot)
  if cell.event ~= event then return 0 end
  for _, entry in ipairs(dated) do
    local booked = 0
    for _, known in ipairs(schedule_of(work, sku).entries) do
      local is_it = known[SLOT] == slot and known[DAY] == entry[1] and known[SUPPLY_ID] == entry[3]
      if is_it and known[DELTA] < 0 then booked = -known[DELTA] end
    end
    if booked ~= entry[2] then add_dated_demand(work, sku, slot, entry[1], entry[2] - booked, entry[3]) end
  end
  for _, entry in ipairs(cell.quotas > 0 and quotas_of(work, sku).entries or {}) do
    if entry[SLOT] == slot then count_used(work, cell, entry[QUOTA_CHANNEL], (used[entry[QUOTA_CHANNEL]] or 0) - entry[USED]) end
  end
  cell.held, cell.confirmed, cell.dirty = held, confirmed, true
  because(cell, 'reconciled')
  return 1
end

local function repair_deadline(work, id)
  local record = redis.call('GET', key_of(work, 'reservation', id))
  local reservation = record and reservation_of(work, record)
  if not reservation or reservation.state ~= 'held' then return 0 end
  redis.call('ZADD', key_of(work, 'deadlines'), reservation.expires, id)
  return 1
end

redis.register_function('allot_repair_v1', function(keys, args)
  local work, done, deadlines = open_work(keys[1], 'repair', args), {}, {}
  local positions, ids = unpack(cmsgpack.unpack(args[1]))
  for i, row in ipairs(positions) do done[i] = repair_position(work, row) end
  commit_work(work)
  for i, id in ipairs(ids) do deadlines[i] = repair_deadline(work, id) end
  return cmsgpack.pack({ done, deadlines })
end)
