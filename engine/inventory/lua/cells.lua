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
local FIELDS = { 'on_hand', 'safety_stock', 'held', 'confirmed', 'version', 'scheduled', 'spare_1', 'spare_2' }

local function open_work(key)
  return { prefix = string.match(key, '^{[^}]*}'), cells = {}, schedules = {}, reservations = {}, slots = {}, new_nodes = {} }
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
    cell = { absent = #packed < 32 }
    if cell.absent then packed = string.rep('\0', 32) end
    cell.on_hand, cell.safety_stock, cell.held, cell.confirmed, cell.version, cell.scheduled, cell.spare_1, cell.spare_2 =
      struct.unpack(CELL_FORMAT, packed)
    of_sku[slot] = cell
  end
  return cell
end

local function add(cell, field, by)
  cell[field] = cell[field] + by
  cell.dirty = true
end

local function each_dirty_cell(work, visit)
  for sku, of_sku in pairs(work.cells) do
    for slot, cell in pairs(of_sku) do
      if cell.dirty then visit(sku, slot, cell) end
    end
  end
end

local function check_cells(work)
  each_dirty_cell(work, function(sku, slot, cell)
    for _, field in ipairs(FIELDS) do
      if cell[field] < 0 or cell[field] > MAX_UNITS then
        error('invariant broken: ' .. field .. ' of ' .. sku .. ' in slot ' .. slot .. ' would be ' .. cell[field])
      end
    end
  end)
end

local function write_cells(work)
  local changed = false
  for _, node_id in ipairs(work.new_nodes) do
    redis.call('HSET', key_of(work, 'slots'), node_id, work.slots[node_id])
  end
  work.new_nodes = {}
  each_dirty_cell(work, function(sku, slot, c)
    if c.absent then redis.call('SADD', key_of(work, 'skus'), sku) end
    redis.call('SETRANGE', key_of(work, 'stock', sku), slot * 32, struct.pack(CELL_FORMAT, c.on_hand, c.safety_stock,
      c.held, c.confirmed, c.version, c.scheduled, c.spare_1, c.spare_2))
    c.dirty, c.absent, changed = false, false, true
  end)
  if changed then redis.call('INCR', key_of(work, 'stock_epoch')) end
end
