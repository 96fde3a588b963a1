-- Reads orders at home here for a routing run, and the parts of reservations of orders that are at home elsewhere.

-- KEYS[1]  any key of the partition (deadlines)     ARGV  order ids
-- Returns  cmsgpack list of {state or 'left', doc with what there is to route, demand, seq, uses or '', reservations that keep something: a list of
--          {id, version or 0, partitions of its lines, lines of here as in own.lua}, steering, rows as in ../read.lua}; the state is
--          '' if there is no such order
-- Invariant: nothing is written.
redis.register_function({ function_name = 'allot_read_orders_over_v1', flags = { 'no-writes' }, callback = function(keys, args)
  local work, now, found = open_work(keys[1]), now_ms(), {}
  for i, order_id in ipairs(args) do
    local state, doc, demand, seq, uses, id, waiting, steering, rows, routed = unpack(redis.call('HMGET', key_of(work, 'order', order_id), 'state', 'doc',
      'demand', 'seq', 'uses', 'reservation_id', 'waiting', 'steering', 'rows', 'routed'))
    if not state then
      found[i] = { '', '', '', '', '', {}, '', '' }
    else
      local own, kept = own_reservations(work, id, waiting, now), {}
      for _, each in ipairs(own) do
        local r = each.reservation
        if each.field then kept[#kept + 1] = { each.id, r.version or 0, r.parts or {}, lines_here(r.lines) } end
      end
      found[i] = { order_has_left(own, uses) and 'left' or state, routed and routed ~= '' and routed or doc, demand, seq, uses, kept, steering or '',
        steering and steering ~= '' and rows or '' }
    end
  end
  return cmsgpack.pack(found)
end })

-- KEYS[1]  any key of the partition (deadlines)     ARGV  reservation ids
-- Returns  cmsgpack list of lists of lines as in own.lua, in the order asked for
-- Invariant: nothing is written.
redis.register_function({ function_name = 'allot_read_parts_v1', flags = { 'no-writes' }, callback = function(keys, args)
  local work, found = open_work(keys[1]), {}
  for i, id in ipairs(args) do
    local part = part_at(work, id)
    found[i] = part and FIELD_OF[part.state] and lines_here(part.lines) or {}
  end
  return cmsgpack.pack(found)
end })
