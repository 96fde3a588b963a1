-- Takes the lines of allocations that lie here, tentatively, each allocation by itself, in order.
-- KEYS[1]  any key of the partition (deadlines)
-- ARGV[1]  who     ARGV[2]  cmsgpack {entries, this partition, today by node_id, buffers as in atp.lua}; an entry: {order id, reservation id to
--          give, its home, token of the attempt, patience in ms, lines of here, channel, the order's own reservations}
-- Returns  cmsgpack list of {'held', milliseconds of now} · {'short', {sku, node_id, asked, available}}
-- Invariants: what an order holds here is available to it. It keeps that too until its home decides: for a moment both are
-- taken, so whatever becomes of either, nothing is sold twice. What is tried is a part like any other (parts.lua of the
-- inventory): it follows its reservation, and comes back if there is none.

local MANY_DUE = 1000

-- Takes what the order has here and gives back for these lines out of the cells (sign -1), or puts it back; returns it.
local function move_own_lines(work, entry, lines, here, sign)
  local shipped, all = {}, {}
  for _, line in ipairs(lines) do shipped[line[SKU]] = true end
  for _, id in ipairs(entry[8]) do
    local own, given = entry[3] == here and reservation_at(work, id, now_ms()) or part_at(work, id), {}
    for _, line in ipairs(own and FIELD_OF[own.state] and own.lines or {}) do
      if line[DATED] == 0 or (line[DATED] == 1 and shipped[line[SKU]]) then given[#given + 1], all[#all + 1] = line, line end
    end
    if #given > 0 then
      local move_own = sign > 0 and take or give_back
      move_own(work, given, FIELD_OF[own.state], entry[1], own.channel)
    end
  end
  return all
end

local function try_order(work, entry, here, today, now)
  local order_id, id, home, token, patience, lines, channel = unpack(entry)
  place_lines(work, lines, today)
  local given = move_own_lines(work, entry, lines, here, -1)
  local short = short_lines(work, lines, today, channel, given)
  move_own_lines(work, entry, lines, here, 1)
  if #short > 0 then return { 'short', short[1] } end
  take(work, lines, 'held', order_id, channel)
  put_part(work, id, { state = 'held', home = home, token = token, version = 0, lines = lines, eaten = {}, asked = '',
    channel = channel, due = now + patience, patience = now + patience })
  return { 'held', now }
end

redis.register_function('allot_try_orders_v1', function(keys, args)
  local work, now, verdicts = open_work(keys[1], 'commit_orders', args), now_ms(), {}
  local entries, here, today, buffers = unpack(cmsgpack.unpack(args[1]))
  keep_back(work, buffers)
  expire_due(work, now, MANY_DUE)
  for i, entry in ipairs(entries) do verdicts[i] = try_order(work, entry, here, today, now) end
  commit_work(work)
  return cmsgpack.pack(verdicts)
end)
