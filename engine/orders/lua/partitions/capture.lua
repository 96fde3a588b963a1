-- Keeps a new order, at home here; see place.lua.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (the order)
-- ARGV[1]  the fingerprint            ARGV[2]  who                  ARGV[3]  the order id
-- ARGV[4…8]  as in ../capture.lua     ARGV[9]  its place            ARGV[10]  1 if its reservation, if any, is at home here
-- ARGV[11]  its life, as in ../capture.lua
-- Returns  as ../capture.lua; the error ELSEWHERE, which is not stored, if the order is to be at home in another partition

register_once('allot_capture_order_over_v1', function(keys, args)
  local work, now = open_work(keys[1], 'capture', args), now_ms()
  local order_id, doc, digest, demand, channel, reservation_id, place, is_beside, life = unpack(args)
  local known = known_capture(work, order_id, digest)
  if known then return known end
  local at, barred = redis.call('GET', key_of(work, 'order_at', order_id)), redis.call('GET', key_of(work, 'order_barred', order_id))
  if is_beside ~= '1' or (at and at ~= place) or (barred and tonumber(string.match(place, ' (%d+)$')) <= tonumber(barred)) then
    return redis.error_reply('ELSEWHERE the order is to be at home in another partition')
  end
  local refused = claim_reservation(work, order_id, reservation_id, now)
  if refused then return refused end
  if life and life ~= '' then begin_life(work, order_id, cmsgpack.unpack(life)) end
  local time = redis.call('TIME')
  local seq = string.format('%.0f', time[1] * 1000000 + time[2])
  enter_state(work, order_id, seq, 'captured', '', now, 'doc', doc, 'fingerprint', digest, 'demand', demand,
    'channel', channel, 'seq', seq, 'reservation_id', reservation_id, 'run_id', '', 'rows', '', 'uses', '', 'waiting', '')
  return order_reply('captured', '', order_fields(work, order_id))
end)
