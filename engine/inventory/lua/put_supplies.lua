-- Adds, changes, re-dates and removes (quantity 0) supplies; lines pegged to them follow.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  who
-- ARGV[3]  cmsgpack list of {supply_id, node_id, sku, quantity, day}                ARGV[4]  cmsgpack today by node_id
-- Returns  affected: the reservations whose lines move or are not covered any more, as in coverage.lua
-- Invariant: a supply_id names at most one supply of a (sku, node); quantities of cells stay as they are, but for holds
-- found past their deadline. It is never refused: what is to come is what it is. One that is as it was costs nothing.

register_once('allot_put_supplies_v1', function(keys, args)
  local work, now = open_work(keys[1], 'put_supplies', args), now_ms()
  local rows, today = cmsgpack.unpack(args[1]), cmsgpack.unpack(args[2])
  for _, row in ipairs(rows) do
    local supply_id, node_id, sku, quantity, day = unpack(row)
    local slot = new_slot(work, node_id)
    local known = supply_at(work, sku, slot, supply_id)
    row[MOVES] = not known or known[DAY] ~= day
    if quantity ~= (known and known[DELTA] or 0) or (known and row[MOVES]) then
      put_supply(work, sku, slot, supply_id, day, quantity)
      because(cell_at(work, sku, slot), supply_id)
    end
  end
  local affected = follow_supplies(work, rows, today, now)
  commit_work(work)
  return cmsgpack.pack({ 'affected', affected })
end)
