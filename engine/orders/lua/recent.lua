-- Notes an order under what it has in common with others, and reads those.
--
-- recent_<by>:<digest>  sorted set: ids of orders by when they came (ms); it expires when the last of them is too old to count
--
-- KEYS  the keys of what the order has in common with others
-- ARGV  the order id, now (ms), how many to read at most, then for each key how far its rules look back (ms)
-- Returns  for each key {id, ms, id, ms, …}, the newest first, the order itself among them
-- Invariant: an order is there once, from when it came first.

redis.register_function('allot_note_recent_v1', function(keys, args)
  local order_id, now, most, found = args[1], tonumber(args[2]), tonumber(args[3]), {}
  for i, key in ipairs(keys) do
    local back = tonumber(args[3 + i])
    local first = string.format('%.0f', now - back)
    redis.call('ZADD', key, 'NX', args[2], order_id)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. first)
    redis.call('PEXPIRE', key, args[3 + i])
    found[i] = redis.call('ZREVRANGEBYSCORE', key, '+inf', first, 'WITHSCORES', 'LIMIT', 0, most)
  end
  return found
end)
