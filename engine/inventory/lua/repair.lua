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

-- Enters a reservation, or a part of one, under its dated lines of a SKU, or takes it out, as is right.
-- KEYS[1]  any key of the partition (deadlines)
-- ARGV[1]  who     ARGV[2]  the SKU     ARGV[3]  the member of dated:<sku>, see dated.lua
-- Returns  1
redis.register_function('allot_repair_dated_v1', function(keys, args)
  local work, now, sku, member = open_work(keys[1], 'repair', args), now_ms(), args[1], args[2]
  local is_part = string.sub(member, 1, 1) == PART
  local id = is_part and string.sub(member, 2) or member
  local kept = is_part and part_at(work, id) or not is_part and reservation_at(work, id, now) or nil
  if kept and (dated_skus(kept) or NONE)[sku] then
    if is_part then put_part(work, id, kept) else put_reservation(work, id, kept) end
  else
    redis.call('ZREM', key_of(work, 'dated', sku), member)
  end
  commit_work(work)
  return 1
end)

-- Takes what is too much off the open holds of holders, or adds what is missing, whatever they hold by now.
-- KEYS[1]  any key of the partition (deadlines)
-- ARGV[1]  who     ARGV[2]  cmsgpack {how often they had been repaired when this was found, list of {holder, units}}
-- Returns  1, or 0 if they have been repaired since
redis.register_function('allot_repair_open_holds_v1', function(keys, args)
  local work = open_work(keys[1], 'repair', args)
  local repairs, rows = unpack(cmsgpack.unpack(args[1]))
  if tonumber(redis.call('GET', key_of(work, 'open_holds_repairs')) or 0) ~= repairs then return 0 end
  redis.call('INCR', key_of(work, 'open_holds_repairs'))
  for _, row in ipairs(rows) do
    count_of(work, row[1]).by = row[2]
  end
  write_open(work)
  return 1
end)
