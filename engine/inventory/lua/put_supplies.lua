-- Adds, changes, re-dates and removes (quantity 0) supplies; lines pegged to them follow.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  who
-- ARGV[3]  cmsgpack list of {supply_id, node_id, sku, quantity, day}                ARGV[4]  cmsgpack today by node_id
-- Returns  affected: the reservations whose lines move or are not covered any more, as in coverage.lua
-- Invariant: a supply_id names at most one supply of a (sku, node); quantities of cells stay as they are, but for holds
-- found past their deadline. It is never refused: what is to come is what it is.

register_once('allot_put_supplies_v1', function(keys, args)
  local work, now = open_work(keys[1], 'put_supplies', args), now_ms()
  local rows, today = cmsgpack.unpack(args[1]), cmsgpack.unpack(args[2])
  for _, row in ipairs(rows) do
    local supply_id, node_id, sku, quantity, day = unpack(row)
    put_supply(work, sku, new_slot(work, node_id), supply_id, day, quantity)
    because(cell_at(work, sku, slot_of(work, node_id)), supply_id)
  end
  local affected = follow_supplies(work, rows, today, now)
  commit_work(work)
  return cmsgpack.pack({ 'affected', affected })
end)
