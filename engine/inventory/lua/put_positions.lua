-- Sets absolute counts, all or none.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  who
-- ARGV[3]  cmsgpack list of {node_id, sku, on_hand, safety_stock, expected_version or -1}
-- Returns  positions · moved: a list of {index, node_id, sku, expected, found}
-- Invariant: reservations are untouched; a version moves by one exactly when on_hand or safety_stock does.

register_once('allot_put_positions_v1', function(keys, args)
  local work, rows, moved = open_work(keys[1], 'put_positions', args), cmsgpack.unpack(args[1]), {}
  for index, row in ipairs(rows) do
    local node_id, sku, on_hand, safety_stock, expected = unpack(row)
    local cell = cell_at(work, sku, new_slot(work, node_id))
    if expected >= 0 and expected ~= cell.version then
      moved[#moved + 1] = { index - 1, node_id, sku, expected, cell.version }
    end
    if cell.version == 0 or cell.on_hand ~= on_hand or cell.safety_stock ~= safety_stock then
      cell.on_hand, cell.safety_stock = on_hand, safety_stock
      add(cell, 'version', 1)
    end
  end
  if #moved > 0 then return refusal('moved', moved) end
  commit_work(work)
  return positions_reply(work, rows, 1, 2)
end)
