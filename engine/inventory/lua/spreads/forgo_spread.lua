-- Lets SKUs of here await a spread no more that is not to come.
-- KEYS[1]  any key of the partition (deadlines)     ARGV[1]  "<partition> <name>" of the spread     ARGV[2]  cmsgpack list of SKUs
-- Returns  1
-- Invariant: what awaits another one goes on to.

redis.register_function('allot_forgo_spread_v1', function(keys, args)
  local awaited, over = key_of(open_work(keys[1]), 'awaited'), {}
  for _, sku in ipairs(cmsgpack.unpack(args[2])) do
    if redis.call('HGET', awaited, sku) == args[1] then over[#over + 1] = sku end
  end
  call_many(over, 'HDEL', awaited)
  return 1
end)
