-- What an allocation uses of nodes, as ../partitions/uses.lua keeps it. Include after capacity.lua.
--
-- A name of uses is the reservation that they are counted under; and, once units have left, behind a line feed, what these have used
-- (JSON list of {node, day, units, parcels}, of all that have left since). What has left stays counted, whatever becomes of the rest.
--
-- use_at(work, name)   {home of the reservation, token of the attempt, uses of what has not left, what has left so far}, or nil
-- put_use(work, name, use)        name_left(name, gone)  the name once more units have left

local function split_name(name)
  local id, left = string.match(name, '^([^\n]*)\n(.*)$')
  return id or name, left and cjson.decode(left) or {}
end

local function with_use(list, use, sign)
  for _, each in ipairs(list) do
    if each[USE_NODE] == use[USE_NODE] and each[USE_DAY] == use[USE_DAY] then
      each[USE_UNITS] = math.max(0, each[USE_UNITS] + sign * use[USE_UNITS])
      each[USE_PARCELS] = math.max(0, each[USE_PARCELS] + sign * use[USE_PARCELS])
      return list
    end
  end
  if sign > 0 then list[#list + 1] = { use[USE_NODE], use[USE_DAY], use[USE_UNITS], use[USE_PARCELS] } end
  return list
end

local function name_left(name, gone)
  local id, left = split_name(name)
  for _, use in ipairs(gone) do with_use(left, use, 1) end
  return #left == 0 and id or id .. '\n' .. cjson.encode(left)
end

local function put_use(work, name, use)
  local id = split_name(name)
  redis.call('SET', key_of(work, 'use', id), cmsgpack.pack(use), 'KEEPTTL')
end

local function use_at(work, name)
  if name == '' then return nil end
  local id, left = split_name(name)
  local packed = redis.call('GET', key_of(work, 'use', id))
  if not packed then return nil end
  local use = cmsgpack.unpack(packed)
  local gone, known = use[4] or {}, {}
  for _, each in ipairs(gone) do known[each[USE_NODE] .. ' ' .. each[USE_DAY]] = each end
  for _, each in ipairs(left) do
    local before = known[each[USE_NODE] .. ' ' .. each[USE_DAY]] or { '', 0, 0, 0 }
    local units, parcels = each[USE_UNITS] - before[USE_UNITS], each[USE_PARCELS] - before[USE_PARCELS]
    if units > 0 or parcels > 0 then
      local more = { each[USE_NODE], each[USE_DAY], math.max(0, units), math.max(0, parcels) }
      with_use(use[3], more, -1)
      with_use(gone, more, 1)
    end
  end
  use[4] = gone
  return use
end
