-- The end of a unit of work: everything is checked, then everything is written. Include after reservations.lua.
--
-- commit_work(work)  writes the journal, new slots, changed cells, schedules, quotas and reservations; the work may be
-- used on afterwards. If only a check was asked for, it stops with the error CHECKED: nothing stood in the way, and nothing
-- is written.
-- Invariant: every field of every cell stays in 0 … 2^31 - 1, or the call fails before its first write (Lua does not
-- roll back). A reservation that is over is kept for a day, a tombstone for an hour. One with parts in other partitions has
-- a version that moves with each change, is in `unfinished` until those have followed, and is kept at least as long.

local FIELDS = { 'on_hand', 'safety_stock', 'held', 'confirmed', 'version', 'scheduled' }
local CLOSED_SECONDS = 86400
local FORESTALLED_SECONDS = 3600

local function broken(cell)
  for _, field in ipairs(FIELDS) do
    if cell[field] < 0 or cell[field] > MAX_UNITS then
      error('invariant broken: ' .. field .. ' of ' .. cell.sku .. ' in slot ' .. cell.slot .. ' would be ' .. cell[field])
    end
  end
end

-- Returns the list of dirty cells.
local function checked_cells(work)
  local dirty, count, loaded = {}, 0, work.loaded
  for i = 1, work.count do
    local cell = loaded[i]
    if cell.dirty then
      count = count + 1
      dirty[count] = cell
      -- Without a call or a loop: this is done for every line of every hold.
      local a, b, c, d, e, f = cell.on_hand, cell.safety_stock, cell.held, cell.confirmed, cell.version, cell.scheduled
      if a < 0 or b < 0 or c < 0 or d < 0 or e < 0 or f < 0 or a > MAX_UNITS or b > MAX_UNITS or c > MAX_UNITS or d > MAX_UNITS
        or e > MAX_UNITS or f > MAX_UNITS then broken(cell) end
    end
  end
  return dirty
end

-- Makes the string of each SKU that gets its first position at a node long enough, by one SET: a string that SETRANGE
-- makes longer takes up to twice its length.
local function make_room(work, dirty)
  local last_slot
  for i = 1, #dirty do
    local c = dirty[i]
    if c.absent then
      last_slot = last_slot or {}
      last_slot[c.sku] = math.max(last_slot[c.sku] or 0, c.slot)
    end
  end
  for sku, slot in pairs(last_slot or NONE) do
    local key, width = work.stock_prefix .. sku, 32 * (slot + 1)
    local packed = redis.call('GET', key) or ''
    if #packed < width then redis.call('SET', key, packed .. string.rep('\0', width - #packed)) end
    redis.call('SADD', key_of(work, 'skus'), sku)
  end
end

local function write_cells(work, dirty)
  for _, node_id in ipairs(work.new_nodes) do
    redis.call('HSET', key_of(work, 'slots'), node_id, work.slots[node_id])
  end
  work.new_nodes = {}
  make_room(work, dirty)
  for i = 1, #dirty do
    local c = dirty[i]
    redis.call('SETRANGE', c.key, c.slot * 32, c.after)
    c.dirty, c.before, c.whys, c.moves, c.absent = false, c.after, nil, nil, nil
  end
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

local function has_dirty_reservation(work)
  for _, reservation in pairs(work.reservations) do
    if type(reservation) == 'table' and reservation.dirty then return true end
  end
  return false
end

local AT_ONCE = 2000

-- Calls a command that takes any number of arguments behind its first ones, a bounded number at a time.
local function call_many(args, command, key)
  for first = 1, #args, AT_ONCE do
    local last = math.min(first + AT_ONCE - 1, #args)
    if key then redis.call(command, key, unpack(args, first, last)) else redis.call(command, unpack(args, first, last)) end
  end
end

local function next_version(work, id, reservation)
  if reservation.version then redis.call('ZADD', key_of(work, 'unfinished'), now_ms(), id) end
  reservation.version = (reservation.version or 0) + 1
end

local function write_reservations(work)
  local new, over, prefix = work.new_records or NONE, {}, key_of(work, 'reservation', '')
  local open, due, said = new.records or {}, new.deadlines or {}, {}
  work.new_records = nil
  for i = 1, #due, 2 do said[#said + 1] = { due[i + 1], 'held', due[i] } end
  for id, reservation in pairs(work.reservations) do
    if type(reservation) == 'table' and reservation.dirty then
      reservation.dirty = nil
      index_dated(work, id, reservation)
      count_off(work, reservation)
      said[#said + 1] = { id, reservation.state, reservation.expires or 0, reservation.reference or false,
        reservation.channel or false, reservation.order_id or false }
      if reservation.parts then next_version(work, id, reservation) end
      local key, packed = prefix .. id, record_of(reservation)
      if FIELD_OF[reservation.state] or reservation.parts then
        open[#open + 1], open[#open + 2] = key, packed
      else
        local seconds = reservation.state == 'forestalled' and FORESTALLED_SECONDS or CLOSED_SECONDS
        redis.call('SET', key, packed, 'EX', seconds)
      end
      if reservation.state == 'held' then due[#due + 1], due[#due + 2] = reservation.expires, id
      else over[#over + 1] = id end
    end
  end
  -- The feed (engine/feed/lua/feed.lua): few rows an entry, so that a bound on entries is a bound on memory.
  for first = 1, #said, 10 do
    local rows = #said <= 10 and said or { unpack(said, first, math.min(first + 9, #said)) }
    redis.call('XADD', key_of(work, 'events'), 'MAXLEN', '~', 500000, '0-*', 'e',
      cmsgpack.pack({ now_ms(), 'reservation', work.act or '', work.who or '', rows }))
  end
  call_many(open, 'MSET')
  call_many(due, 'ZADD', key_of(work, 'deadlines'))
  call_many(over, 'ZREM', key_of(work, 'deadlines'))
end

local function commit_work(work)
  if work.is_check then error({ err = 'CHECKED it can be done' }) end
  local dirty = checked_cells(work)
  if #dirty == 0 and not has_dirty_reservation(work) and not has_dirty_part(work) then return end
  write_journal(work, dirty, now_ms())
  write_cells(work, dirty)
  write_schedules(work)
  write_quotas(work)
  write_reservations(work)
  if work.open_holds then write_open(work) end
  write_parts(work)
end
