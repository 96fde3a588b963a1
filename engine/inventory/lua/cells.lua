-- Stock as a unit of work: a function reads cells through it, changes them IN MEMORY, and calls commit_work (commit.lua) last.
-- A function that refuses just returns: nothing was written. Other libraries may include this file too.
--
-- work = open_work(key, act, args)   `key` is any key of the tenant and partition: all names are made from its
--                         {tenant:partition}. `act` names what is done; who does it is taken off the front of args.
--                         A key that ends in `:check` asks whether it could be done, see commit.lua.
-- now_ms()                the time of this call
-- slot_of(work, node_id)  0, 1, … or nil          new_slot(work, node_id)  the same, allocated (append-only) if absent
-- cell_at(work, sku, slot)  a table of the fields below, and its `key`; change it with add(cell, field, by)
-- Keys: stock:<sku> (string: 8 big-endian u32 per slot) · slots (hash node_id → slot) · skus (set) · stock_epoch
-- `event` is the journal event that changed the cell last (see journal.lua), 0 if none did; `quotas` counts its channel
-- quotas (quotas.lua).
-- An on_hand of MAX_UNITS says that the stock is unlimited: it is neither adjusted nor used up.
-- Invariant: nothing is written here; commit.lua checks and writes.

local MAX_UNITS = 2147483647
local CELL_FORMAT = '>I4I4I4I4I4I4I4I4'
local ZEROS = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'

local now_of_call

-- Milliseconds since 1970, the same throughout a call.
local function now_ms()
  if not now_of_call then
    local time = redis.call('TIME')
    now_of_call = time[1] * 1000 + math.floor(time[2] / 1000)
  end
  return now_of_call
end

local function open_work(key, act, args)
  now_of_call = nil
  local is_check = string.sub(key, -6) == ':check'
  local prefix = string.match(key, '^{[^}]*}')
  return { prefix = prefix, stock_prefix = prefix .. ':stock:', is_check = is_check, act = act,
    who = act and table.remove(args, 1), cells = {}, loaded = {}, count = 0, schedules = {}, reservations = {}, slots = {},
    new_nodes = {} }
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
  local of_slot = work.cells[slot]  -- by slot first: a batch meets few nodes, and many SKUs
  if not of_slot then of_slot = {}; work.cells[slot] = of_slot end
  local cell = of_slot[sku]
  if not cell then
    local key = work.stock_prefix .. sku
    local packed = redis.call('GETRANGE', key, slot * 32, slot * 32 + 31)
    local before = #packed < 32 and ZEROS or packed
    local a, b, c, d, e, f, g, h = struct.unpack(CELL_FORMAT, before)
    -- One constructor: a table that grows field by field costs four times as much.
    cell = { on_hand = a, safety_stock = b, held = c, confirmed = d, version = e, scheduled = f, event = g, quotas = h,
      sku = sku, slot = slot, key = key, before = before, dirty = false }
    if before ~= packed then cell.absent = true end
    work.count = work.count + 1
    of_slot[sku], work.loaded[work.count] = cell, cell
  end
  return cell
end

local function is_unlimited(cell) return cell.on_hand == MAX_UNITS end

local function add(cell, field, by)
  cell[field] = cell[field] + by
  cell.dirty = true
end
