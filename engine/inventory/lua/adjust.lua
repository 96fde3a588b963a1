-- Adds deltas to on_hand, or to the units of another condition, in order, all or none.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  who                     ARGV[3]  cmsgpack list of {node_id, sku, delta, reason, condition}
-- Returns  positions · out_of_range: a list of {index, node_id, sku, delta, units before it, condition}
-- Invariant: on_hand stays in 0 … 2^31 - 2 after each delta, which moves the version by one. Unlimited stock stays so.

register_once('allot_adjust_v1', function(keys, args)
  local work, rows, refused = open_work(keys[1], 'adjust', args), cmsgpack.unpack(args[1]), {}
  for index, row in ipairs(rows) do
    local node_id, sku, delta, reason, condition = unpack(row)
    local cell = cell_at(work, sku, new_slot(work, node_id))
    local units = units_in(work, cell, condition)
    if units == MAX_UNITS or units + delta < 0 or units + delta >= MAX_UNITS then
      refused[#refused + 1] = { index - 1, node_id, sku, delta, units, condition }
    else
      add_units(work, cell, condition, delta)
      because(cell, reason)
    end
  end
  if #refused > 0 then return refusal('out_of_range', refused) end
  commit_work(work)
  write_conditions(work)
  return positions_reply(work, rows, 1, 2)
end)
