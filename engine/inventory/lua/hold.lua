-- Holds all lines or none, until a deadline.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  the reservation id       ARGV[3]  time to live in milliseconds
-- ARGV[4]  cmsgpack list of lines {sku, node_id, quantity, ship_on or 0}
-- ARGV[5]  cmsgpack list {today by node_id, reference or false, channel or false, promised_on or 0}
-- Returns  reservation · short · taken (the id has other lines) · forestalled · past
-- Invariant: no cell's ATP goes below zero by a hold. Due deadlines go first: a few always, more before it refuses.

local FEW_DUE, MANY_DUE = 10, 1000

register_once('allot_hold_v1', function(keys, args)
  local work, now, id, lines = open_work(keys[1]), now_ms(), args[1], cmsgpack.unpack(args[3])
  local today, reference, channel, promised_on = unpack(cmsgpack.unpack(args[4]))
  if expire_due(work, now, FEW_DUE) > 0 then commit_work(work) end
  local known = reservation_at(work, id, now)
  if known then
    commit_work(work)
    if known.state == 'forestalled' then return refusal('forestalled', id) end
    if known.asked ~= redis.sha1hex(args[3]) then return refusal('taken', id) end
    if not FIELD_OF[known.state] then return refusal('past', id, known.state, 'hold') end
    return reservation_reply(id, known)
  end
  place_lines(work, lines, today)
  local short = short_lines(work, lines, today)
  if #short > 0 and expire_due(work, now, MANY_DUE) > 0 then
    commit_work(work)
    short = short_lines(work, lines, today)
  end
  if #short > 0 then return refusal('short', short) end
  local reservation = { state = 'held', expires = now + tonumber(args[2]), lines = lines, asked = redis.sha1hex(args[3]),
    reference = reference, channel = channel, promised_on = promised_on, consumed = false }
  take(work, lines, 'held')
  put_reservation(work, id, reservation)
  commit_work(work)
  return reservation_reply(id, reservation)
end)
