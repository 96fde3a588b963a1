-- Reads orders for a routing run: what they ask for, and what their own reservations keep.
-- KEYS[1]  any key of the partition (open_orders)     ARGV  order ids
-- Returns  cmsgpack list of {state, doc with what there is to route, lines that it keeps, steering (JSON), rows (JSON) if there is any steering}, in the order
--          asked for; {'', '', {}, '', ''} where there is no such order; the state is 'left' where units have left a node, since it may not be routed anew; a line is {sku, node_id, quantity, ship_on if it is dated demand, else 0}
-- Invariant: nothing is written.

redis.register_function({ function_name = 'allot_read_orders_v1', flags = { 'no-writes' }, callback = function(keys, args)
  local work, now, found = open_work(keys[1]), now_ms(), {}
  for i, order_id in ipairs(args) do
    local fields = order_fields(work, order_id)
    if fields then
      local own, field = own_reservation(work, fields[3], now)
      local lines = {}
      for j, line in ipairs(field and own.lines or {}) do
        lines[j] = { line[SKU], line[NODE], line[QUANTITY], line[DATED] * line[SHIP_ON] }
      end
      local uses, routed = unpack(redis.call('HMGET', key_of(work, 'order', order_id), 'uses', 'routed'))
      local steering = fields[6] or ''
      found[i] = { has_left(own, uses) and 'left' or fields[2],
        routed and routed ~= '' and routed or fields[1], lines, steering, steering ~= '' and fields[5] or '' }
    else
      found[i] = { '', '', {}, '', '' }
    end
  end
  return cmsgpack.pack(found)
end })
