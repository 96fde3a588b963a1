-- Keeps a new order, at home here; see place.lua.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (the order)
-- ARGV[1]  the fingerprint            ARGV[2]  who                  ARGV[3]  the order id
-- ARGV[4…8]  as in ../capture.lua     ARGV[9]  its place            ARGV[10]  1 if its reservation, if any, is at home here
-- Returns  as ../capture.lua; the error ELSEWHERE, which is not stored, if the order is to be at home in another partition

register_once('allot_capture_order_over_v1', function(keys, args)
  local work, now = open_work(keys[1], 'capture', args), now_ms()
  local order_id, doc, digest, demand, channel, reservation_id, place, is_beside = unpack(args)
  local known = redis.call('HGET', key_of(work, 'order', order_id), 'fingerprint')
  if known then
    if known ~= digest then return order_reply('other', '') end
    return order_reply('captured', '', order_fields(work, order_id))
  end
  local at, barred = redis.call('GET', key_of(work, 'order_at', order_id)), redis.call('GET', key_of(work, 'order_barred', order_id))
  if is_beside ~= '1' or (at and at ~= place) or (barred and tonumber(string.match(place, ' (%d+)$')) <= tonumber(barred)) then
    return redis.error_reply('ELSEWHERE the order is to be at home in another partition')
  end
  if reservation_id ~= '' then
    local own, field = own_reservation(work, reservation_id, now)
    if not own or own.state == 'forestalled' then return order_reply('no_reservation', '') end
    if not field or own.consumed then
      commit_work(work)
      return order_reply('past', own.consumed and 'consumed' or own.state)
    end
    if own.order_id and own.order_id ~= order_id then return order_reply('taken', own.order_id) end
    own.order_id, own.dirty = order_id, true
    commit_work(work)
  end
  local time = redis.call('TIME')
  local seq = string.format('%.0f', time[1] * 1000000 + time[2])
  enter_state(work, order_id, seq, 'captured', '', now, 'doc', doc, 'fingerprint', digest, 'demand', demand,
    'channel', channel, 'seq', seq, 'reservation_id', reservation_id, 'run_id', '', 'rows', '', 'uses', '', 'waiting', '')
  return order_reply('captured', '', order_fields(work, order_id))
end)
