-- Replaces the channel quotas of positions, all or none.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  who
-- ARGV[3]  cmsgpack list of {node_id, sku, quotas as in quotas.lua, last event or -1, channel → used}: what open reservations
--          add up to if the position is still as that event left it
-- Returns  quotas: a list of lists {channel, reserve, share, overflow, release_at, used}, in the order asked for ·
--          uncounted: a list of {index, last event} of positions of which reservations have to be counted first
-- Invariant: `used` is right from the step on that writes it; stock and reservations stay as they are.

local function quotas_at(work, cell)
  local found = {}
  for _, entry in ipairs(quotas_of(work, cell.sku).entries) do
    if entry[SLOT] == cell.slot then found[#found + 1] = { unpack(entry, 2) } end
  end
  return found
end

register_once('allot_put_quotas_v1', function(keys, args)
  local work, cells, uncounted, found = open_work(keys[1], 'put_quotas', args), {}, {}, {}
  for index, row in ipairs(cmsgpack.unpack(args[1])) do
    local node_id, sku, quotas, event, counted = unpack(row)
    local cell = cell_at(work, sku, new_slot(work, node_id))
    cells[index] = cell
    if not put_quotas(work, cell, quotas, event == cell.event and counted) then
      uncounted[#uncounted + 1] = { index - 1, cell.event }
    end
  end
  if #uncounted > 0 then return refusal('uncounted', uncounted) end
  commit_work(work)
  for index, cell in ipairs(cells) do found[index] = quotas_at(work, cell) end
  return cmsgpack.pack({ 'quotas', found })
end)
