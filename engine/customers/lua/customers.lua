-- Customers: what is known of them, sealed, and the key that opens it.
--
-- customer_keys          hash: id → key (wrapped, see keys.py); the blank id has the key of terms and links of the tenant.
--                        Backups keep this key by itself (engine/backup/taking.py), so that a destroyed key comes back nowhere
-- customer:<id>          hash: sealed, version, changed (ms), and erased (ms, 0: unknown) once they are; absent where only
--                        orders name them
-- customer_terms:<id>    set of the terms by which they are found        customer_index:<term>  set of ids
-- customer_orders:<id>   sorted set of their orders, by when they were captured (ms)
-- customer_clearing      sorted set of erased customers, by when their orders are to be looked at (ms): what these say of them is
--                        taken out once they are over
-- notice_opt_outs        set of terms of addresses that get no notices
-- Every function takes as a key any key of the first partition.
--
-- Invariant: an id that anything was kept of, and that has no key, was erased; it never gets another key.

local function key_of(key, word, id)
  return string.match(key, '^{[^}]*}') .. ':' .. word .. (id and ':' .. id or '')
end

local function is_known(key, id)
  return redis.call('EXISTS', key_of(key, 'customer', id), key_of(key, 'customer_orders', id), key_of(key, 'customer_terms', id)) > 0
end

local function add_terms(key, id, terms)
  for _, term in ipairs(terms) do
    redis.call('SADD', key_of(key, 'customer_terms', id), term)
    redis.call('SADD', key_of(key, 'customer_index', term), id)
  end
end

local function tell(key, who, id, what)
  local time = redis.call('TIME')
  redis.call('XADD', key_of(key, 'events'), 'MAXLEN', '~', 500000, '0-*', 'e', cmsgpack.pack({
    time[1] * 1000 + math.floor(time[2] / 1000), 'customer', '', who, { { id, what } } }))
end

-- KEYS[1]  any key    ARGV[1]  id    ARGV[2]  a fresh key    ARGV[3]  an order of theirs, or ''    ARGV[4]  when (ms)
-- ARGV[5…]  terms     Returns  their key, the fresh one if they are new · false if they were erased
redis.register_function('allot_claim_customer_v1', function(keys, args)
  local id, all = args[1], key_of(keys[1], 'customer_keys')
  local found = redis.call('HGET', all, id)
  if not found then
    if id ~= '' and is_known(keys[1], id) then return false end
    redis.call('HSET', all, id, args[2])
    if id ~= '' then redis.call('HSET', key_of(keys[1], 'customer', id), 'version', 0) end
    found = args[2]
  end
  if args[3] ~= '' then redis.call('ZADD', key_of(keys[1], 'customer_orders', id), 'NX', args[4], args[3]) end
  add_terms(keys[1], id, { unpack(args, 5) })
  return found
end)

-- KEYS[1]  any key    ARGV[1]  id    ARGV[2]  sealed    ARGV[3]  when (ms)    ARGV[4]  the version expected, or ''    ARGV[5]  who
-- ARGV[6…]  terms     Returns  the new version · 0: erased · -1 - the version that it has, which is not the one expected
redis.register_function('allot_put_customer_v1', function(keys, args)
  local id, key = args[1], key_of(keys[1], 'customer', args[1])
  if redis.call('HEXISTS', key_of(keys[1], 'customer_keys'), id) == 0 then return 0 end
  local version = tonumber(redis.call('HGET', key, 'version') or 0)
  if args[4] ~= '' and tonumber(args[4]) ~= version then return -1 - version end
  redis.call('HSET', key, 'sealed', args[2], 'version', version + 1, 'changed', args[3])
  add_terms(keys[1], id, { unpack(args, 6) })
  tell(keys[1], args[5], id, 'changed')
  return version + 1
end)

-- Destroys a key, and forgets all that was kept under it here.
-- KEYS[1]  the idempotency record    KEYS[2]  any key
-- ARGV[1]  the fingerprint           ARGV[2]  id    ARGV[3]  when (ms)    ARGV[4]  how many orders they were seen to have    ARGV[5]  who
-- Returns  cmsgpack {erased, when (ms)} · {missing, 0}; the error MOVED, which is not stored, if they have more orders
register_once('allot_erase_customer_v1', function(keys, args)
  local id, all = args[1], key_of(keys[1], 'customer_keys')
  local key, terms = key_of(keys[1], 'customer', id), key_of(keys[1], 'customer_terms', id)
  if redis.call('HEXISTS', all, id) == 0 then
    if not is_known(keys[1], id) then return cmsgpack.pack({ 'missing', 0 }) end
    redis.call('ZADD', key_of(keys[1], 'customer_clearing'), 'NX', args[2], id)
    return cmsgpack.pack({ 'erased', tonumber(redis.call('HGET', key, 'erased') or 0) })
  end
  if redis.call('ZCARD', key_of(keys[1], 'customer_orders', id)) ~= tonumber(args[3]) then
    return redis.error_reply('MOVED_CUSTOMER they have other orders than were seen')
  end
  redis.call('HDEL', all, id)
  redis.call('ZADD', key_of(keys[1], 'customer_clearing'), args[2], id)
  for _, term in ipairs(redis.call('SMEMBERS', terms)) do
    redis.call('SREM', key_of(keys[1], 'customer_index', term), id)
  end
  redis.call('DEL', key, terms)
  redis.call('HSET', key, 'erased', args[2])
  tell(keys[1], args[4], id, 'erased')
  return cmsgpack.pack({ 'erased', tonumber(args[2]) })
end)
