-- Reads a reservation; one whose deadline has passed reads as expired (its units go back by a writing call).
-- KEYS[1]  any key of the partition (deadlines)     ARGV[1]  the reservation id
-- Returns  reservation · missing
-- Invariant: nothing is written.

redis.register_function({ function_name = 'allot_get_reservation_v1', flags = { 'no-writes' }, callback = function(keys, args)
  local reservation = reservation_at(open_work(keys[1]), args[1], now_ms())
  if not reservation or reservation.state == 'forestalled' then return refusal('missing', args[1]) end
  return reservation_reply(args[1], reservation)
end })
