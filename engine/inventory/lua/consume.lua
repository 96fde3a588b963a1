-- Takes units of a confirmed reservation that have left the node off on_hand and reserved.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  who                     ARGV[3]  the reservation id
-- ARGV[4]  cmsgpack list of lines {sku, node_id, quantity, ship_on or 0}; empty: all
-- ARGV[5]  the version it is at, if lines of other partitions have left already (partitions/follow.lua)
-- Returns  reservation · missing · past (anything but confirmed) · too_many · not_on_hand: {sku, node_id, asked, on_hand}
--          The error CROSSES, and nothing done, if it has lines of other partitions and is not at that version
-- Invariant: on_hand and reserved go down together, so available stays as it was; each cell's version moves by one.
-- Unlimited stock is not used up.

local function far_lines(lines)
  local far = {}
  for _, line in ipairs(lines) do
    if line[DATED] == FAR then far[#far + 1] = line end
  end
  return far
end

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
  local far = far_lines(taken_out)
  if #far > 0 and tonumber(args[3]) ~= reservation.version then
    return redis.error_reply('CROSSES partitions; its other parts have to go first')
  end
  local not_on_hand = leave_node(work, taken_out, id, reservation.channel)
  if #not_on_hand > 0 then return refusal('not_on_hand', id, not_on_hand) end
  reservation.eaten = reservation.eaten or reservation.parts and {}
  for _, line in ipairs(far) do table.insert(reservation.eaten, line) end
  reservation.consumed, reservation.dirty = true, true
  reservation.lines = #stay > 0 and stay or taken_out
  if #stay == 0 then reservation.state = 'consumed' end
  commit_work(work)
  return reservation_reply(id, reservation)
end)
