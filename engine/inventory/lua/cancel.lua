-- Gives units back: all, or those of some lines. A cancel without its hold leaves a tombstone.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  who                     ARGV[3]  the reservation id
-- ARGV[4]  cmsgpack list of lines {sku, node_id, quantity, ship_on or 0}; empty: all
-- Returns  reservation · missing · past (consumed) · too_many · of_order
-- Invariant: units go back once; a hold that comes after its cancel takes none; what an order counts on goes back with
-- the order only.

register_once('allot_cancel_v1', function(keys, args)
  local work, id, wanted = open_work(keys[1], 'cancel', args), args[1], cmsgpack.unpack(args[2])
  local reservation = reservation_at(work, id, now_ms())
  if not reservation or reservation.state == 'forestalled' then
    if not reservation then
      put_reservation(work, id, { state = 'forestalled', lines = {} })
      commit_work(work)
    end
    return refusal('missing', id)
  end
  local field = FIELD_OF[reservation.state]
  if not field then
    commit_work(work)
    if reservation.state == 'consumed' then return refusal('past', id, 'consumed', 'cancel') end
    return reservation_reply(id, reservation)
  end
  if reservation.order_id then return refusal('of_order', id, reservation.order_id) end
  local taken_out, stay, too_many = split_lines(reservation, wanted)
  if #too_many > 0 then return refusal('too_many', id, too_many) end
  give_back(work, taken_out, field, id, reservation.channel)
  if #stay == 0 then
    reservation.lines, reservation.state = taken_out, reservation.consumed and 'consumed' or 'cancelled'
  else
    reservation.lines = stay
  end
  reservation.dirty = true
  commit_work(work)
  return reservation_reply(id, reservation)
end)
