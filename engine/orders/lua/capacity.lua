-- What committed allocations use of the nodes, day by day. Include after orders.lua.
--
-- capacity:<day ordinal>  hash: node_id → "<units> <parcels>", only where something is used
-- `uses` of an order is a list of {node_id, day, units, parcels}, one entry per (node, day).
-- used_at(work, day, node_id)    {units, parcels} in memory        count_uses(work, uses, sign)  adds or takes off
-- over_capacity(work, uses, limits)  the first of `uses` that is beyond limits[node_id] = {units or -1, parcels or -1}, as
--                                {node_id, day, 'units' or 'parcels', asked, left, limit}; nil if there is none
-- write_capacity(work)           writes what has changed
-- Invariant: the numbers of a day are the sums of the `uses` of the orders, and never negative.

local USE_NODE, USE_DAY, USE_UNITS, USE_PARCELS = 1, 2, 3, 4
local KEPT_SECONDS = 400 * 86400

local function used_at(work, day, node_id)
  work.capacity = work.capacity or {}
  local of_day = work.capacity[day] or {}
  work.capacity[day] = of_day
  if not of_day[node_id] then
    local text = redis.call('HGET', key_of(work, 'capacity', string.format('%d', day)), node_id) or '0 0'
    local units, parcels = string.match(text, '^(%d+) (%d+)$')
    of_day[node_id] = { units = tonumber(units), parcels = tonumber(parcels) }
  end
  return of_day[node_id]
end

local function count_uses(work, uses, sign)
  for _, use in ipairs(uses) do
    local used = used_at(work, use[USE_DAY], use[USE_NODE])
    used.units = math.max(0, used.units + sign * use[USE_UNITS])
    used.parcels = math.max(0, used.parcels + sign * use[USE_PARCELS])
    used.dirty = true
  end
end

local function over_capacity(work, uses, limits)
  for _, use in ipairs(uses) do
    local limit = limits[use[USE_NODE]]
    if limit then
      local used = used_at(work, use[USE_DAY], use[USE_NODE])
      if limit[1] >= 0 and used.units + use[USE_UNITS] > limit[1] then
        return { use[USE_NODE], use[USE_DAY], 'units', use[USE_UNITS], limit[1] - used.units, limit[1] }
      end
      if limit[2] >= 0 and used.parcels + use[USE_PARCELS] > limit[2] then
        return { use[USE_NODE], use[USE_DAY], 'parcels', use[USE_PARCELS], limit[2] - used.parcels, limit[2] }
      end
    end
  end
end

local function write_capacity(work)
  for day, of_day in pairs(work.capacity or {}) do
    local key = key_of(work, 'capacity', string.format('%d', day))
    for node_id, used in pairs(of_day) do
      if used.dirty then
        if used.units + used.parcels == 0 then
          redis.call('HDEL', key, node_id)
        else
          redis.call('HSET', key, node_id, string.format('%d %d', used.units, used.parcels))
          redis.call('EXPIRE', key, KEPT_SECONDS)
        end
        used.dirty = nil
      end
    end
  end
end
