-- Adds, changes, re-dates and removes (quantity 0) supplies.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  who
-- ARGV[3]  cmsgpack list of {supply_id, node_id, sku, quantity, day}
-- Returns  positions: an empty list
-- Invariant: a supply_id names at most one entry of a (sku, node); quantities of cells stay as they are.

register_once('allot_put_supplies_v1', function(keys, args)
  local work = open_work(keys[1], 'put_supplies', args)
  for _, row in ipairs(cmsgpack.unpack(args[1])) do
    local supply_id, node_id, sku, quantity, day = unpack(row)
    put_supply(work, sku, new_slot(work, node_id), supply_id, day, quantity)
    because(cell_at(work, sku, slot_of(work, node_id)), supply_id)
  end
  commit_work(work)
  return cmsgpack.pack({ 'positions', {} })
end)
