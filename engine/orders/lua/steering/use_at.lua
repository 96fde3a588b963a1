-- What an allocation uses of nodes, as ../partitions/uses.lua keeps it. Include after capacity.lua.
--
-- use_at(work, id)  {home of the reservation, token of the attempt, uses}, or nil

local function use_at(work, id)
  local packed = id ~= '' and redis.call('GET', key_of(work, 'use', id))
  return packed and cmsgpack.unpack(packed) or nil
end
