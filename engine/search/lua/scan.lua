-- Looks for the orders of a partition, a piece of the key space at a time.
-- KEYS[1]  any key of the partition     ARGV[1]  the cursor of the piece before, or 0     ARGV[2]  about so many keys
-- Returns  {the cursor of the next piece, or 0 at the end, order ids}
-- Invariant: nothing is written; an order that is there from the first piece to the last is returned at least once.

redis.register_function({ function_name = 'allot_scan_orders_v1', flags = { 'no-writes' }, callback = function(keys, args)
  local prefix = string.match(keys[1], '^{[^}]*}') .. ':order:'
  local reply = redis.call('SCAN', args[1], 'MATCH', prefix .. '*', 'COUNT', args[2])
  for i, key in ipairs(reply[2]) do reply[2][i] = string.sub(key, #prefix + 1) end
  return reply
end })
