-- The end of a unit of work: everything is checked, then everything is written. Include after reservations.lua.
--
-- commit_work(work)  writes new slots, changed cells, schedules and reservations; the work may be used on afterwards
-- Invariant: every field of every cell stays in 0 … 2^31 - 1, or the call fails before its first write (Lua does not
-- roll back). A reservation that is over is kept for a day, a tombstone for an hour.

local FIELDS = { 'on_hand', 'safety_stock', 'held', 'confirmed', 'version', 'scheduled', 'spare_1', 'spare_2' }
local CLOSED_SECONDS = 86400
local FORESTALLED_SECONDS = 3600

local function check_cells(work)
  for _, cell in ipairs(work.loaded) do
    if cell.dirty then
      for i = 1, 8 do
        local units = cell[FIELDS[i]]
        if units < 0 or units > MAX_UNITS then
          error('invariant broken: ' .. FIELDS[i] .. ' of ' .. cell.sku .. ' in slot ' .. cell.slot .. ' would be ' .. units)
        end
      end
    end
  end
end

local function write_cells(work)
  local changed = false
  for _, node_id in ipairs(work.new_nodes) do
    redis.call('HSET', key_of(work, 'slots'), node_id, work.slots[node_id])
  end
  work.new_nodes = {}
  for _, c in ipairs(work.loaded) do
    if c.dirty then
      if c.absent then redis.call('SADD', key_of(work, 'skus'), c.sku) end
      redis.call('SETRANGE', key_of(work, 'stock', c.sku), c.slot * 32, struct.pack(CELL_FORMAT, c.on_hand, c.safety_stock,
        c.held, c.confirmed, c.version, c.scheduled, c.spare_1, c.spare_2))
      c.dirty, c.absent, changed = false, false, true
    end
  end
  if changed then redis.call('INCR', key_of(work, 'stock_epoch')) end
end

local function write_schedules(work)
  for sku, schedule in pairs(work.schedules) do
    if schedule.dirty then
      if #schedule.entries == 0 then
        redis.call('DEL', key_of(work, 'schedule', sku))
      else
        redis.call('SET', key_of(work, 'schedule', sku), cmsgpack.pack(schedule.entries))
      end
      schedule.dirty = false
    end
  end
end

local function write_reservations(work)
  local deadlines = key_of(work, 'deadlines')
  for id, reservation in pairs(work.reservations) do
    if reservation.dirty then
      reservation.dirty = nil
      local key, packed = key_of(work, 'reservation', id), cmsgpack.pack(reservation)
      if reservation.state == 'held' then redis.call('ZADD', deadlines, reservation.expires, id)
      else redis.call('ZREM', deadlines, id) end
      if FIELD_OF[reservation.state] then redis.call('SET', key, packed)
      else
        local seconds = reservation.state == 'forestalled' and FORESTALLED_SECONDS or CLOSED_SECONDS
        redis.call('SET', key, packed, 'EX', seconds)
      end
    end
  end
end

local function commit_work(work)
  check_cells(work)
  write_cells(work)
  write_schedules(work)
  write_reservations(work)
end
