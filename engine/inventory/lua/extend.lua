-- Moves the deadline of a hold.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  who                     ARGV[3]  the reservation id
-- ARGV[4]  time to live from now in milliseconds
-- Returns  reservation · missing · past (anything but held)
-- Invariant: a deadline that has passed does not come back.

register_once('allot_extend_v1', function(keys, args)
  local work, id, now = open_work(keys[1], 'extend', args), args[1], now_ms()
  local reservation = reservation_at(work, id, now)
  if not reservation or reservation.state == 'forestalled' then return refusal('missing', id) end
  if reservation.state == 'held' then
    reservation.expires, reservation.dirty = now + tonumber(args[2]), true
  end
  commit_work(work)
  if reservation.state ~= 'held' then return refusal('past', id, reservation.state, 'extend') end
  return reservation_reply(id, reservation)
end)
