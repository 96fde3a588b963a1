-- Cancels an order that is at home here, with all its reservations; their parts elsewhere and its uses follow.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (the order)
-- ARGV[1]  the fingerprint            ARGV[2]  who                  ARGV[3]  the order id
-- Returns  {verdict, detail, fields, list of its reservations, its uses or ''}: cancelled · missing · left (units have left)
-- Invariant: it is decided in this step; who dies then leaves the rest to the sweeper.

register_once('allot_cancel_order_over_v1', function(keys, args)
  local work, now, order_id = open_work(keys[1], 'cancel_order', args), now_ms(), args[1]
  local fields = order_fields(work, order_id)
  if not fields then return order_reply('missing', '') end
  if fields[2] == 'cancelled' then return order_reply('cancelled', '', fields) end
  local seq, uses, waiting, left = unpack(redis.call('HMGET', key_of(work, 'order', order_id), 'seq', 'uses', 'waiting',
    'left'))
  local own, ids = own_reservations(work, fields[3], waiting, now), {}
  if left or order_has_left(own, uses) then return order_reply('left', '') end
  for i, each in ipairs(own) do
    ids[i] = each.id
    if each.field then close(work, each.id, each.reservation, 'cancelled') end
  end
  commit_work(work)
  settle_uses_later(work, uses, 'drop')
  enter_state(work, order_id, seq, 'cancelled', '', now, 'reservation_id', '', 'uses', '', 'waiting', '')
  return cmsgpack.pack({ 'cancelled', '', order_fields(work, order_id), ids, uses })
end)
