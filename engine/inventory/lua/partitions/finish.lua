-- Notes that every part of a reservation has followed to a version.
-- KEYS[1]  any key of the partition (deadlines)     ARGV[1]  the reservation id     ARGV[2]  the version
-- Returns  1, or 0 if the reservation has changed since
-- Invariant: a reservation whose parts may be behind is in `unfinished`, and is not forgotten.

redis.register_function('allot_finish_v1', function(keys, args)
  local work, id = open_work(keys[1]), args[1]
  local key = key_of(work, 'reservation', id)
  local record = redis.call('GET', key)
  local reservation = record and reservation_of(work, record)
  if reservation and reservation.version ~= tonumber(args[2]) then return 0 end
  redis.call('ZREM', key_of(work, 'unfinished'), id)
  if reservation and not FIELD_OF[reservation.state] then redis.call('EXPIRE', key, CLOSED_SECONDS) end
  return 1
end)
