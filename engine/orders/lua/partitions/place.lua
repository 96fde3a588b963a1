-- Where an order is at home: with the reservation that it came with, else where its id hashes to.
--
-- order_at:<id>      where the id hashes to: "<partition> <serial>"; absent for an order that is at home there and came
--                    there first
-- order_barred:<id>  where no order is: no capture of this serial or an earlier one is taken any more
-- Invariant: an id has one order in all partitions. Who moves its place has barred the old one first.

-- KEYS[1]  any key of the partition that the id hashes to (deadlines)
-- ARGV[1]  the order id     ARGV[2]  the partition wanted     ARGV[3]  this partition     ARGV[4]  the place that was barred, or ''
-- Returns  its place
redis.register_function('allot_place_order_v1', function(keys, args)
  local work, order_id, wanted, here, barred = open_work(keys[1]), unpack(args)
  local key = key_of(work, 'order_at', order_id)
  local at = redis.call('GET', key)
  if at and at ~= barred then return at end
  if not at and (wanted == here or redis.call('EXISTS', key_of(work, 'order', order_id)) == 1) then return here .. ' 0' end
  local serial = at and tonumber(string.match(at, ' (%d+)$')) or 0
  at = wanted .. ' ' .. string.format('%d', serial + 1)
  redis.call('SET', key, at)
  return at
end)

-- KEYS[1]  any key of a partition (deadlines)     ARGV[1]  the order id     ARGV[2]  the serial
-- Returns  1 if the order is here, else 0, and then no capture of that serial can be made
redis.register_function('allot_bar_order_v1', function(keys, args)
  local work = open_work(keys[1])
  if redis.call('EXISTS', key_of(work, 'order', args[1])) == 1 then return 1 end
  redis.call('SET', key_of(work, 'order_barred', args[1]), args[2])
  return 0
end)
