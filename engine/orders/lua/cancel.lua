-- Cancels an order and gives back its stock and capacity.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (the order)
-- ARGV[1]  the fingerprint            ARGV[2]  who                  ARGV[3]  the order id
-- Returns  {verdict, detail, fields}: cancelled · missing · left (units have left a node)
-- Invariant: units and capacity go back once, in the call that cancels.

register_once('allot_cancel_order_v1', function(keys, args)
  local work, now, order_id = open_work(keys[1], 'cancel_order', args), now_ms(), args[1]
  local fields = order_fields(work, order_id)
  if not fields then return order_reply('missing', '') end
  local state, reservation_id = fields[2], fields[3]
  if state == 'cancelled' then return order_reply('cancelled', '', fields) end
  local seq, uses, left = unpack(redis.call('HMGET', key_of(work, 'order', order_id), 'seq', 'uses', 'left'))
  local own, field = own_reservation(work, reservation_id, now)
  if left or has_left(own, uses) then return order_reply('left', '') end
  if field then close(work, reservation_id, own, 'cancelled') end
  if uses ~= '' then count_uses(work, cmsgpack.unpack(uses), -1) end
  commit_work(work)
  write_capacity(work)
  enter_state(work, order_id, seq, 'cancelled', '', now, 'reservation_id', '', 'uses', '')
  return order_reply('cancelled', '', order_fields(work, order_id))
end)
