-- Stock as a unit of work: a function reads cells through it, changes them IN MEMORY, and calls commit_work last.
-- A function that refuses just returns: nothing was written. Other libraries may include this file too.
--
-- work = open_work(key)   `key` is any key of the tenant and partition; all names are made from its {tenant:partition}
-- slot_of(work, node_id)  0, 1, … or nil          new_slot(work, node_id)  the same, allocated (append-only) if absent
-- cell_at(work, sku, slot)  a table of the fields below; change it with add(cell, field, by)
-- Keys: stock:<sku> (string: 8 big-endian u32 per slot) · slots (hash node_id → slot) · skus (set) · stock_epoch
-- Invariant: every field of every cell stays in 0 … 2^31 - 1; commit_work checks all of them before its first write.

local MAX_UNITS = 2147483647
local CELL_FORMAT = '>I4I4I4I4I4I4I4I4'
local ZEROS = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
local FIELDS = { 'on_hand', 'safety_stock', 'held', 'confirmed', 'version', 'scheduled', 'spare_1', 'spare_2' }

local function open_work(key)
  return { prefix = string.match(key, '^{[^}]*}'), cells = {}, loaded = {}, schedules = {}, reservations = {}, slots = {}, new_nodes = {} }
end

local function key_of(work, word, id)
  return work.prefix .. ':' .. word .. (id and ':' .. id or '')
end

local function slot_of(work, node_id)
  if work.slots[node_id] == nil then
    work.slots[node_id] = tonumber(redis.call('HGET', key_of(work, 'slots'), node_id) or nil) or false
  end
  return work.slots[node_id] or nil
end

local function new_slot(work, node_id)
  if not slot_of(work, node_id) then
    work.slots[node_id] = redis.call('HLEN', key_of(work, 'slots')) + #work.new_nodes
    table.insert(work.new_nodes, node_id)
  end
  return work.slots[node_id]
end

local function cell_at(work, sku, slot)
  local of_sku = work.cells[sku]
  if not of_sku then of_sku = {}; work.cells[sku] = of_sku end
  local cell = of_sku[slot]
  if not cell then
    local packed = redis.call('GETRANGE', key_of(work, 'stock', sku), slot * 32, slot * 32 + 31)
    local absent = #packed < 32
    local a, b, c, d, e, f, g, h = struct.unpack(CELL_FORMAT, absent and ZEROS or packed)
    -- One constructor: a table that grows field by field costs four times as much.
    cell = { on_hand = a, safety_stock = b, held = c, confirmed = d, version = e, scheduled = f, spare_1 = g, spare_2 = h,
      sku = sku, slot = slot, absent = absent, dirty = false }
    of_sku[slot], work.loaded[#work.loaded + 1] = cell, cell
  end
  return cell
end

local function add(cell, field, by)
  cell[field] = cell[field] + by
  cell.dirty = true
end

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
