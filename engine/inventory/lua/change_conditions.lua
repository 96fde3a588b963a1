-- Moves units of positions from one condition to another, in order, all or none.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  who
-- ARGV[3]  cmsgpack list of {node_id, sku, quantity, from, to, reason}, see conditions.lua
-- Returns  positions · wrong_condition: a list of {index, node_id, sku, quantity, from, to, units in each before it}
-- Invariant: no unit is made or lost; the version moves by one exactly when on_hand does.

local function can_move(quantity, units_from, units_to)
  return units_from ~= MAX_UNITS and quantity <= units_from and units_to + quantity < MAX_UNITS
end

register_once('allot_change_conditions_v1', function(keys, args)
  local work, rows, refused = open_work(keys[1], 'change_conditions', args), cmsgpack.unpack(args[1]), {}
  for index, row in ipairs(rows) do
    local node_id, sku, quantity, from, to, reason = unpack(row)
    local cell = cell_at(work, sku, new_slot(work, node_id))
    local units_from, units_to = units_in(work, cell, from), units_in(work, cell, to)
    if can_move(quantity, units_from, units_to) then
      add_units(work, cell, from, -quantity)
      add_units(work, cell, to, quantity)
      because(cell, reason)
    else
      refused[#refused + 1] = { index - 1, node_id, sku, quantity, from, to, units_from, units_to }
    end
  end
  if #refused > 0 then return refusal('wrong_condition', refused) end
  commit_work(work)
  write_conditions(work)
  return conditions_reply(work, rows, 1, 2)
end)
