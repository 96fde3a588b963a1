-- Takes units of a confirmed reservation that have left the node off on_hand and reserved.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  who                     ARGV[3]  the reservation id
-- ARGV[4]  cmsgpack list of lines {sku, node_id, quantity, ship_on or 0}; empty: all
-- Returns  reservation · missing · past (anything but confirmed) · too_many · not_on_hand: {sku, node_id, asked, on_hand}
-- Invariant: on_hand and reserved go down together, so available stays as it was; each cell's version moves by one.
-- Unlimited stock is not used up.

register_once('allot_consume_v1', function(keys, args)
  local work, id, wanted = open_work(keys[1], 'consume', args), args[1], cmsgpack.unpack(args[2])
  local reservation = reservation_at(work, id, now_ms())
  if not reservation or reservation.state == 'forestalled' then return refusal('missing', id) end
  if reservation.state ~= 'confirmed' then
    commit_work(work)
    if reservation.state == 'consumed' then return reservation_reply(id, reservation) end
    return refusal('past', id, reservation.state, 'consume')
  end
  local taken_out, stay, too_many = split_lines(reservation, wanted)
  if #too_many > 0 then return refusal('too_many', id, too_many) end
  local leaving, not_on_hand = {}, {}
  for _, line in ipairs(taken_out) do
    local cell = cell_at(work, line[SKU], line[LINE_SLOT])
    if not leaving[cell] then leaving[cell] = { line[SKU], line[NODE], 0, cell.on_hand } end
    leaving[cell][3] = leaving[cell][3] + line[QUANTITY]
    if leaving[cell][3] > cell.on_hand and not leaving[cell].named then
      leaving[cell].named, not_on_hand[#not_on_hand + 1] = true, leaving[cell]
    end
  end
  for _, row in ipairs(not_on_hand) do row.named = nil end
  if #not_on_hand > 0 then return refusal('not_on_hand', id, not_on_hand) end
  give_back(work, taken_out, 'confirmed', id)
  for cell, row in pairs(leaving) do
    if not is_unlimited(cell) then
      add(cell, 'on_hand', -row[3])
      add(cell, 'version', 1)
    end
  end
  reservation.consumed, reservation.dirty = true, true
  reservation.lines = #stay > 0 and stay or taken_out
  if #stay == 0 then reservation.state = 'consumed' end
  commit_work(work)
  return reservation_reply(id, reservation)
end)
