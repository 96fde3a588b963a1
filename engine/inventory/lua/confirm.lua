-- Makes a hold permanent.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  who                     ARGV[3]  the reservation id
-- Returns  reservation · missing · past (expired, cancelled, consumed)
-- Invariant: units move from held to confirmed, and what their channel uses stays; nothing is confirmed at or after its deadline.

register_once('allot_confirm_v1', function(keys, args)
  local work = open_work(keys[1], 'confirm', args)
  local id = args[1]
  local reservation = reservation_at(work, id, now_ms())
  if not reservation or reservation.state == 'forestalled' then return refusal('missing', id) end
  if reservation.state == 'held' then
    give_back(work, reservation.lines, 'held', id)
    take(work, reservation.lines, 'confirmed', id)
    reservation.state, reservation.dirty = 'confirmed', true
  end
  commit_work(work)
  if reservation.state ~= 'confirmed' then return refusal('past', id, reservation.state, 'confirm') end
  return reservation_reply(id, reservation)
end)
