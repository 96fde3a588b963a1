-- Keeps a new order.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (the order)
-- ARGV[1]  the fingerprint            ARGV[2]  who                  ARGV[3]  the order id
-- ARGV[4]  what was captured (JSON)   ARGV[5]  the digest of it     ARGV[6]  its demand           ARGV[7]  its channel
-- ARGV[8]  the reservation that keeps stock for it, or ''      ARGV[9]  cmsgpack of its life as begin_life takes it, or ''
-- Returns  {verdict, detail, fields}: captured · other (the id has another order) · archived (it has one) · no_reservation ·
--          past (detail: the state of the reservation) · taken (detail: the order it belongs to)
-- Invariant: an id has one order for ever; capturing the same again writes nothing.

register_once('allot_capture_order_v1', function(keys, args)
  local work, now = open_work(keys[1], 'capture', args), now_ms()
  local order_id, doc, digest, demand, channel, reservation_id, life = unpack(args)
  local reply = known_capture(work, order_id, digest) or claim_reservation(work, order_id, reservation_id, now)
  if reply then return reply end
  local seq = redis.call('INCR', key_of(work, 'order_seq'))
  if life and life ~= '' then begin_life(work, order_id, cmsgpack.unpack(life)) end
  enter_state(work, order_id, seq, 'captured', '', now, 'doc', doc, 'fingerprint', digest, 'demand', demand,
    'channel', channel, 'seq', seq, 'reservation_id', reservation_id, 'run_id', '', 'rows', '', 'uses', '')
  return order_reply('captured', '', order_fields(work, order_id))
end)
