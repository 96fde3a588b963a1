-- What open reservations are to take of nodes of limited capacity, by node and day. It dates promises, and refuses nothing.
--
-- KEYS[1] of each function: any key of the tenant and partition; all names are made from its {tenant:partition}.
-- load_uses     hash: reservation id → cmsgpack {deadline in ms or 0, uses}; a use is {node_id, day ordinal, units, parcels}
-- load_due      sorted set of the ids that have a deadline         load_seen  sorted set: id → when it was looked at last
-- load_units:<day ordinal>, load_parcels:<day ordinal>  hash: node_id → how many; gone a few days after the day
-- Invariant: the numbers of a day are the sums of the uses of the entries, and of those that left the node on it.

local NODE, DAY, UNITS, PARCELS = 1, 2, 3, 4
local EPOCH, DAYS_KEPT = 719163, 4

local function key_of(key, word, id)
  return string.match(key, '^{[^}]*}') .. ':' .. word .. (id and ':' .. string.format('%d', id) or '')
end

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function count(key, uses, sign)
  for _, use in ipairs(uses) do
    for word, by in pairs({ load_units = use[UNITS], load_parcels = use[PARCELS] }) do
      local of_day = key_of(key, word, use[DAY])
      if redis.call('HINCRBY', of_day, use[NODE], sign * by) <= 0 then redis.call('HDEL', of_day, use[NODE]) end
      redis.call('EXPIREAT', of_day, (use[DAY] - EPOCH + DAYS_KEPT) * 86400)
    end
  end
end

local function uses_of(key, id)
  local packed = redis.call('HGET', key_of(key, 'load_uses'), id)
  return packed and cmsgpack.unpack(packed)[2] or {}
end

local function forget(key, id)
  redis.call('HDEL', key_of(key, 'load_uses'), id)
  redis.call('ZREM', key_of(key, 'load_due'), id)
  redis.call('ZREM', key_of(key, 'load_seen'), id)
end

-- Writes the uses of a reservation in place of those before; none: it is forgotten.
-- ARGV[1]  its id     ARGV[2]  its deadline in ms, 0: none     ARGV[3]  1: what goes has left its node, and stays counted;
--   one that is not here is then an order's, which counts by its decision
-- ARGV[4]  cmsgpack uses
redis.register_function('allot_put_load_v1', function(keys, args)
  local key, id, deadline, uses = keys[1], args[1], tonumber(args[2]), cmsgpack.unpack(args[4])
  local before = uses_of(key, id)
  if args[3] == '1' then
    if #before == 0 then return 1 end
  else
    count(key, before, -1)
    count(key, uses, 1)
  end
  forget(key, id)
  if #uses > 0 then
    redis.call('HSET', key_of(key, 'load_uses'), id, cmsgpack.pack({ deadline, uses }))
    redis.call('ZADD', key_of(key, 'load_seen'), now_ms(), id)
    if deadline > 0 then redis.call('ZADD', key_of(key, 'load_due'), deadline, id) end
  end
  return 1
end)

local MANY_DUE = 1000

-- Returns cmsgpack a list of {node_id, day, units, parcels} of days; a node may come several times. What committed orders
-- use is in it (capacity:<day ordinal>, see capacity.lua of engine/orders). Holds whose deadline has passed go first.
-- ARGV[1]  the first day     ARGV[2]  how many days
redis.register_function('allot_read_load_v1', function(keys, args)
  local key, first, found = keys[1], tonumber(args[1]), {}
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key_of(key, 'load_due'), '-inf', now_ms(), 'LIMIT', 0, MANY_DUE)) do
    count(key, uses_of(key, id), -1)
    forget(key, id)
  end
  for day = first, first + tonumber(args[2]) - 1 do
    for place, word in ipairs({ 'load_units', 'load_parcels' }) do
      local pairs_of_day = redis.call('HGETALL', key_of(key, word, day))
      for i = 1, #pairs_of_day, 2 do
        local number = tonumber(pairs_of_day[i + 1])
        found[#found + 1] = { pairs_of_day[i], day, place == 1 and number or 0, place == 2 and number or 0 }
      end
    end
    local used = redis.call('HGETALL', key_of(key, 'capacity', day))
    for i = 1, #used, 2 do
      local units, parcels = string.match(used[i + 1], '^(%d+) (%d+)$')
      found[#found + 1] = { used[i], day, tonumber(units), tonumber(parcels) }
    end
  end
  return cmsgpack.pack(found)
end)

-- Returns the ids that were looked at longest ago.
-- ARGV[1]  at most how many     ARGV[2]  not those looked at within so many ms
redis.register_function('allot_oldest_load_v1', function(keys, args)
  local before = now_ms() - tonumber(args[2])
  return redis.call('ZRANGEBYSCORE', key_of(keys[1], 'load_seen'), '-inf', before, 'LIMIT', 0, args[1])
end)
