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

-- Takes tokens of a bucket, which fills by itself.
-- KEYS[1]  the bucket: the µs since 1970 at which it is full, gone once it is
-- ARGV[1]  µs in which it gets a token        ARGV[2]  how many it holds        ARGV[3]  how many are wanted
-- Returns  {how many are given, how many are left, µs until the next one if none was given}
-- Invariant: in any time of s µs no more are given than ARGV[2] + s / ARGV[1].

redis.register_function('allot_take_tokens_v1', function(keys, args)
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
  local each, most, wanted = tonumber(args[1]), tonumber(args[2]), tonumber(args[3])
  local full_at = math.max(now, tonumber(redis.call('GET', keys[1]) or now))
  local left = math.max(0, math.floor(most - (full_at - now) / each + 0.000001))
  local given = math.min(wanted, left)
  if given == 0 then return { 0, 0, math.ceil(full_at - now - (most - 1) * each) } end
  full_at = full_at + given * each
  redis.call('SET', keys[1], string.format('%.3f', full_at), 'PX', math.ceil((full_at - now) / 1000) + 1)
  return { given, left - given, 0 }
end)
