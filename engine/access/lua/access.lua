-- Puts an API key in the place of what its caller has read.
-- KEYS[1]  the keys: a hash, id → key        KEYS[2]  their epoch: a counter
-- ARGV[1]  the id        ARGV[2]  what is there now, '' for nothing        ARGV[3]  what shall be there
-- Returns  1 if it was done, 0 if something else is there
-- Invariant: no key changes without the epoch, so whoever has read the epoch knows that what it looked up since holds.

redis.register_function('allot_change_key_v1', function(keys, args)
  if (redis.call('HGET', keys[1], args[1]) or '') ~= args[2] then return 0 end
  redis.call('HSET', keys[1], args[1], args[3])
  redis.call('INCR', keys[2])
  return 1
end)

-- Forgets API keys.
-- KEYS     as above        ARGV  their ids
-- Returns  how many were there

redis.register_function('allot_remove_keys_v1', function(keys, args)
  redis.call('INCR', keys[2])
  return redis.call('HDEL', keys[1], unpack(args))
end)
