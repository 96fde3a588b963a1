-- What allocations use of the nodes, in a store of several partitions: counted in one of them, under the reservation that an
-- allocation gets. Include after ../steering/use_at.lua.
--
-- use:<reservation id>  as ../steering/use_at.lua has it, with uses as in capacity.lua
-- uses_due              sorted set of those whose home has not been heard of, by when it has to be asked
-- Invariant: the numbers of a day are the sums of all `use`, with what has left.

local USE_SECONDS = 400 * 86400

local function try_use(work, entry, limits, due)
  local id, home, token, uses, own_id = unpack(entry)
  local own = use_at(work, own_id)
  if own then count_uses(work, own[3], -1) end
  local over = over_capacity(work, uses, limits)
  if own then count_uses(work, own[3], 1) end
  if over then return { 'capacity', over } end
  count_uses(work, uses, 1)
  redis.call('SET', key_of(work, 'use', id), cmsgpack.pack({ home, token, uses }), 'EX', USE_SECONDS)
  redis.call('ZADD', key_of(work, 'uses_due'), due, id)
  return { 'held' }
end

-- KEYS[1]  any key of the partition (deadlines)
-- ARGV[1]  cmsgpack {entries, limits as in ../commit.lua, patience in ms}; an entry: {reservation id to give, its home, token,
--          uses, reservation under which the order's own uses are counted, or ''}
-- Returns  cmsgpack list of {'held'} · {'capacity', as over_capacity of capacity.lua}
redis.register_function('allot_try_uses_v1', function(keys, args)
  local work, verdicts = open_work(keys[1]), {}
  local entries, limits, patience = unpack(cmsgpack.unpack(args[1]))
  for i, entry in ipairs(entries) do verdicts[i] = try_use(work, entry, limits, now_ms() + patience) end
  write_capacity(work)
  return cmsgpack.pack(verdicts)
end)

-- KEYS[1]  any key of the partition (deadlines)     ARGV[1]  cmsgpack list of {reservation id, keep · drop}
-- Returns  1
-- Invariant: the same again changes nothing; what was dropped stays so.
redis.register_function('allot_settle_uses_v1', function(keys, args)
  local work = open_work(keys[1])
  for _, row in ipairs(cmsgpack.unpack(args[1])) do
    local id, verdict = unpack(row)
    redis.call('ZREM', key_of(work, 'uses_due'), (split_name(id)))
    local use = verdict == 'drop' and use_at(work, id)
    if use then
      count_uses(work, use[3], -1)
      redis.call('DEL', key_of(work, 'use', (split_name(id))))
    end
  end
  write_capacity(work)
  return 1
end)

-- KEYS[1]  any key of the partition (deadlines)     ARGV[1]  at most how many
-- Returns  cmsgpack list of {reservation id, its home, token} whose home has to be asked
redis.register_function({ function_name = 'allot_due_uses_v1', flags = { 'no-writes' }, callback = function(keys, args)
  local work, found = open_work(keys[1]), {}
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key_of(work, 'uses_due'), '-inf', now_ms(), 'LIMIT', 0, args[1])) do
    local use = use_at(work, id) or { -1, '' }
    found[#found + 1] = { id, use[1], use[2] }
  end
  return cmsgpack.pack(found)
end })

-- KEYS[1]  any key of the partition of the order (deadlines)     ARGV[1]  cmsgpack list of {reservation id, keep · drop}
-- Returns  1; what was decided stands where uses are counted, unless something else was decided meanwhile
redis.register_function('allot_uses_settled_v1', function(keys, args)
  local key = key_of(open_work(keys[1]), 'uses_to_settle')
  for _, row in ipairs(cmsgpack.unpack(args[1])) do
    if redis.call('HGET', key, row[1]) == row[2] then redis.call('HDEL', key, row[1]) end
  end
  return 1
end)
