-- Adds deltas to on_hand, in order, all or none.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  who                     ARGV[3]  cmsgpack list of {node_id, sku, delta, reason}
-- Returns  positions · out_of_range: a list of {index, node_id, sku, delta, on_hand before it}
-- Invariant: on_hand stays in 0 … 2^31 - 2 after each delta; each moves the version by one. Unlimited stock stays so.

register_once('allot_adjust_v1', function(keys, args)
  local work, rows, refused = open_work(keys[1], 'adjust', args), cmsgpack.unpack(args[1]), {}
  for index, row in ipairs(rows) do
    local node_id, sku, delta, reason = unpack(row)
    local cell = cell_at(work, sku, new_slot(work, node_id))
    local after = cell.on_hand + delta
    if is_unlimited(cell) or after < 0 or after >= MAX_UNITS then
      refused[#refused + 1] = { index - 1, node_id, sku, delta, cell.on_hand }
    else
      add(cell, 'on_hand', delta)
      add(cell, 'version', 1)
      because(cell, reason)
    end
  end
  if #refused > 0 then return refusal('out_of_range', refused) end
  commit_work(work)
  return positions_reply(work, rows, 1, 2)
end)
