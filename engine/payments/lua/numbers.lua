-- Numbers of invoices and credit notes: consecutive in each series, without a gap, whoever dies when.
--
-- numbers:<series>   list of the ids of its bills: the number of a bill is its place in it, from 1
-- numbers_open       hash: id of a bill → "<series> <number> <day>", until that is written on the bill
--
-- Invariant: a bill that is not written yet finds its number again, and no number is of two bills.

-- Allots the next number of a series to a bill, or tells the one that it has.
-- KEYS[1]  the series' list        KEYS[2]  numbers_open
-- ARGV[1]  the bill's id           ARGV[2]  the series        ARGV[3]  the day
-- Returns  "<series> <number> <day>"

redis.register_function('allot_number_bill_v1', function(keys, args)
  local known = redis.call('HGET', keys[2], args[1])
  if known then return known end
  local given = args[2] .. ' ' .. redis.call('RPUSH', keys[1], args[1]) .. ' ' .. args[3]
  redis.call('HSET', keys[2], args[1], given)
  return given
end)
