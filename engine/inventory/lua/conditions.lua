-- Units that are there but cannot be sold, changed in memory. Include after schedule.lua.
--
-- conditions:<sku>  cmsgpack list of {slot, condition, units}, absent if empty: damaged quality_hold in_transit. Units that
-- can be sold are on_hand of the cell, and have the condition sellable.
-- units_in(work, cell, condition)      add_units(work, cell, condition, by)  journals the cell, also where it stays as it is
-- write_conditions(work)               to be called after commit_work
-- Invariant: an entry has 1 … 2^31 - 2 units; a move of a condition stands in the journal as one of day 0.

local SELLABLE, UNITS = 'sellable', 3

local function conditions_of(work, sku)
  work.conditions = work.conditions or {}
  if not work.conditions[sku] then
    local packed = redis.call('GET', key_of(work, 'conditions', sku))
    work.conditions[sku] = { entries = packed and cmsgpack.unpack(packed) or {} }
  end
  return work.conditions[sku]
end

local function entry_in(work, cell, condition)
  local kept = conditions_of(work, cell.sku)
  for index, entry in ipairs(kept.entries) do
    if entry[SLOT] == cell.slot and entry[2] == condition then return entry, index, kept end
  end
  return nil, #kept.entries + 1, kept
end

local function units_in(work, cell, condition)
  if condition == SELLABLE then return cell.on_hand end
  local entry = entry_in(work, cell, condition)
  return entry and entry[UNITS] or 0
end

local function add_units(work, cell, condition, by)
  if condition == SELLABLE then
    add(cell, 'on_hand', by)
    add(cell, 'version', 1)
    return
  end
  local entry, index, kept = entry_in(work, cell, condition)
  local before = entry and entry[UNITS] or 0
  local after = before + by
  if after < 0 or after >= MAX_UNITS then error('invariant broken: ' .. condition .. ' of ' .. cell.sku .. ' would be ' .. after) end
  if after > 0 then kept.entries[index] = { cell.slot, condition, after } else table.remove(kept.entries, index) end
  kept.dirty, cell.dirty = true, true
  note_move(cell, 0, condition, before, after)
end

local function write_conditions(work)
  for sku, kept in pairs(work.conditions or {}) do
    if kept.dirty then
      if #kept.entries == 0 then redis.call('DEL', key_of(work, 'conditions', sku))
      else redis.call('SET', key_of(work, 'conditions', sku), cmsgpack.pack(kept.entries)) end
      kept.dirty = false
    end
  end
end

-- The positions of a reply with what cannot be sold of them: a ninth member, a list of {condition, units}.
local function conditions_reply(work, rows, node_at, sku_at)
  local positions = position_rows(work, rows, node_at, sku_at)
  for i, row in ipairs(rows) do
    local found, slot = {}, slot_of(work, row[node_at])
    for _, entry in ipairs(conditions_of(work, row[sku_at]).entries) do
      if entry[SLOT] == slot then found[#found + 1] = { entry[2], entry[UNITS] } end
    end
    positions[i][9] = found
  end
  return cmsgpack.pack({ 'positions', positions })
end
