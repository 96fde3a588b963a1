-- Says which lines could not be held now.
-- KEYS[1]  any key of the partition (deadlines)
-- ARGV[1]  cmsgpack {lines as a hold asks for them, today by node_id, buffers as in atp.lua, channel or false}
-- Returns  cmsgpack {list as from peg_lines of pegs.lua, list of {sku, node_id, quantity, available, index of the first line}};
--          the second is empty if the first is not
-- Invariant: nothing is written.

redis.register_function({ function_name = 'allot_short_here_v1', flags = { 'no-writes' }, callback = function(keys, args)
  local work, lines, today, buffers, channel = open_work(keys[1]), unpack(cmsgpack.unpack(args[1]))
  keep_back(work, buffers)
  if place_lines(work, lines, today) then
    local refused = peg_lines(work, lines, today)
    if #refused > 0 then return cmsgpack.pack({ refused, {} }) end
  end
  local short, sums, at = short_lines(work, lines, today, channel), sum_demand(lines, today), 0
  for _, row in ipairs(short) do
    repeat at = at + 1 until sums[at].sku == row[1] and sums[at].node_id == row[2] and sums[at].quantity == row[3]
    for i, line in ipairs(lines) do
      local day = line[DATED] == 1 and line[SHIP_ON] or today[line[NODE]]
      if line[SKU] == row[1] and line[NODE] == row[2] and day == sums[at].day then
        row[5] = i - 1
        break
      end
    end
  end
  return cmsgpack.pack({ {}, short })
end })
