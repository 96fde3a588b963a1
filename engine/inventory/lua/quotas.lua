-- Channel quotas of positions, changed in memory. Include after atp.lua.
--
-- quotas:<sku>  cmsgpack list of {slot, channel, reserve or -1, share or -1, overflow (1 or 0), release_at (milliseconds) or 0,
--               used}, absent if empty; `share` is a percentage of what is on hand and not kept back, now. `used` counts the
--               open units of the channel there, held or confirmed, dated too.
-- Until release_at, what a channel has not used of its quota is its own part, as far as there is that much: of too little,
-- those listed first have theirs first. What is in nobody's part is the common pool, for everybody but channels with a
-- quota and without overflow.
-- free_to(work, cell, channel, level)      what of a level of ATP a channel (nil, false: none) may take; level if negative
-- count_used(work, cell, channel, by)      counts units that a channel takes, or gives back
-- move_used(work, cell, channel, to, by, why)  counts units of a channel as those of another; why: who for
-- put_quotas(work, cell, quotas, counted)  replaces those of a cell: a list of entries without slot and used; counted: channel →
--                                          used, or nil; returns false where that has to be known and is not
-- quotas_of(work, sku), write_quotas(work)
-- Invariants: `quotas` of a cell is the number of its entries, so that a cell with 0 needs no key of them. The parts of all
-- channels and the common pool add up to ATP. What a channel takes lessens no other channel's part.

local QUOTA_CHANNEL, USED = 2, 7

local function quotas_of(work, sku)
  work.quotas = work.quotas or {}
  if not work.quotas[sku] then
    local packed = redis.call('GET', key_of(work, 'quotas', sku))
    work.quotas[sku] = { entries = packed and cmsgpack.unpack(packed) or {} }
  end
  return work.quotas[sku]
end

-- Returns nil where everybody may take it.
local function unused_of(entry, base)
  local _, _, reserve, share, _, release_at, used = unpack(entry)
  if release_at > 0 and now_ms() >= release_at then return nil end
  local units = share < 0 and reserve or math.floor(share * math.max(0, base) / 100)
  return math.max(0, units - used)
end

local function free_to(work, cell, channel, level)
  local base, left, of_others, most = cell.on_hand - kept_of(cell), math.max(0, level), 0, nil
  for _, entry in ipairs(quotas_of(work, cell.sku).entries) do
    local unused = entry[SLOT] == cell.slot and unused_of(entry, base)
    if unused then
      local part = math.min(unused, left)
      left = left - part
      if entry[QUOTA_CHANNEL] ~= channel then of_others = of_others + part
      elseif entry[5] == 0 then most = unused end
    end
  end
  return math.min(level - of_others, most or level)
end

local function count_used(work, cell, channel, by)
  if cell.quotas == 0 or not channel then return end
  local kept = quotas_of(work, cell.sku)
  for _, entry in ipairs(kept.entries) do
    if entry[SLOT] == cell.slot and entry[QUOTA_CHANNEL] == channel then
      entry[USED], kept.dirty = entry[USED] + by, true
      if entry[USED] < 0 then error('invariant broken: ' .. channel .. ' would use ' .. entry[USED] .. ' of ' .. cell.sku) end
    end
  end
end

local function move_used(work, cell, channel, to, by, why)
  count_used(work, cell, channel, -by)
  count_used(work, cell, to, by)
  cell.dirty = true
  because(cell, why)
end

local function has_open_units(work, cell)
  if cell.held + cell.confirmed > 0 then return true end
  for _, entry in ipairs(cell.scheduled > 0 and schedule_of(work, cell.sku).entries or NONE) do
    if entry[SLOT] == cell.slot and entry[DELTA] < 0 then return true end
  end
  return false
end

local function put_quotas(work, cell, quotas, counted)
  local kept, used, stay = quotas_of(work, cell.sku), {}, {}
  for _, entry in ipairs(kept.entries) do
    if entry[SLOT] == cell.slot then used[entry[QUOTA_CHANNEL]] = entry[USED] else stay[#stay + 1] = entry end
  end
  local is_idle = not has_open_units(work, cell)
  for _, quota in ipairs(quotas) do
    local channel, reserve, share, overflow, release_at = unpack(quota)
    local units = used[channel] or (is_idle and 0) or (counted and (counted[channel] or 0))
    if not units then return false end
    stay[#stay + 1] = { cell.slot, channel, reserve, share, overflow, release_at, units }
  end
  if #quotas > 0 or cell.quotas > 0 then
    kept.entries, kept.dirty = stay, true
    cell.quotas, cell.dirty = #quotas, true
    because(cell, 'quotas')
  end
  return true
end

local function write_quotas(work)
  for sku, kept in pairs(work.quotas or NONE) do
    if kept.dirty then
      if #kept.entries == 0 then redis.call('DEL', key_of(work, 'quotas', sku))
      else redis.call('SET', key_of(work, 'quotas', sku), cmsgpack.pack(kept.entries)) end
      kept.dirty = false
    end
  end
end
