-- Takes a lease, or renews it for who has it.
-- KEYS[1]  the lease: a string, the name of who has it
-- ARGV[1]  who asks        ARGV[2]  milliseconds for which it is taken
-- Returns  1 if it is theirs now, 0 if somebody else has it
-- Invariant: of those who ask, at most one has it at any time.

redis.register_function('allot_take_lease_v1', function(keys, args)
  local owner = redis.call('GET', keys[1])
  if owner and owner ~= args[1] then return 0 end
  redis.call('SET', keys[1], args[1], 'PX', args[2])
  return 1
end)

-- Gives a lease back, if it is theirs who ask.
-- KEYS[1]  the lease        ARGV[1]  who asks
-- Returns  1 if it was theirs, 0 otherwise

redis.register_function('allot_release_lease_v1', function(keys, args)
  if redis.call('GET', keys[1]) ~= args[1] then return 0 end
  return redis.call('DEL', keys[1])
end)
