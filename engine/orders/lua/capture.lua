-- Keeps a new order.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (the order)
-- ARGV[1]  the fingerprint            ARGV[2]  who                  ARGV[3]  the order id
-- ARGV[4]  what was captured (JSON)   ARGV[5]  the digest of it     ARGV[6]  its demand           ARGV[7]  its channel
-- ARGV[8]  the reservation that keeps stock for it, or ''
-- Returns  {verdict, detail, fields}: captured · other (the id has another order) · no_reservation ·
--          past (detail: the state of the reservation) · taken (detail: the order it belongs to)
-- Invariant: an id has one order for ever; capturing the same again writes nothing.

register_once('allot_capture_order_v1', function(keys, args)
  local work, now = open_work(keys[1], 'capture', args), now_ms()
  local order_id, doc, digest, demand, channel, reservation_id = unpack(args)
  local key = key_of(work, 'order', order_id)
  local known = redis.call('HGET', key, 'fingerprint')
  if known then
    if known ~= digest then return order_reply('other', '') end
    return order_reply('captured', '', order_fields(work, order_id))
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
  local seq = redis.call('INCR', key_of(work, 'order_seq'))
  enter_state(work, order_id, seq, 'captured', '', now, 'doc', doc, 'fingerprint', digest, 'demand', demand,
    'channel', channel, 'seq', seq, 'reservation_id', reservation_id, 'run_id', '', 'rows', '', 'uses', '')
  return order_reply('captured', '', order_fields(work, order_id))
end)
