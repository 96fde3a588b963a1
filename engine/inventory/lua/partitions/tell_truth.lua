-- Tells the truth about a reservation of here to whoever looks after its parts, and bars what was not decided before.
-- KEYS[1]  any key of the partition (deadlines)
-- ARGV[1]  who     ARGV[2]  the reservation id     ARGV[3]  the attempt to give up if nothing is known of it, or ''
-- ARGV[4]  the version at which a consumption was tried and is to be undone unless it was decided, or -1
-- Returns  cmsgpack {1 if its deadline was found to have passed, reservation · missing}
-- Invariant: what was answered stays true: an attempt or a consumption that was barred cannot be committed afterwards.

local BARRED_SECONDS = 7200

redis.register_function('allot_tell_truth_v1', function(keys, args)
  local work, id, token, tried_at = open_work(keys[1], 'settle', args), args[1], args[2], tonumber(args[3])
  local reservation = reservation_at(work, id, now_ms())
  if not reservation or reservation.state == 'forestalled' then
    if token ~= '' then redis.call('SET', key_of(work, 'barred', token), '1', 'EX', BARRED_SECONDS) end
    return cmsgpack.pack({ 0, { 'missing', id } })
  end
  local has_expired = reservation.dirty and 1 or 0
  if reservation.parts and reservation.version == tried_at then reservation.dirty = true end
  commit_work(work)
  return cmsgpack.pack({ has_expired, reservation_row(id, reservation) })
end)
