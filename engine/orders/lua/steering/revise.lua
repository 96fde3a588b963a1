-- Changes an order as nodes or people have said, if it is as it was seen.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (the order)
-- ARGV[1]  the fingerprint            ARGV[2]  who                  ARGV[3]  the order id
-- ARGV[4]  cmsgpack {expected, refusal or '', change}
--          expected: {state, run_id, reservation_id, revision}
--          change: {state to enter, rows (JSON), steering (JSON), lines given back or true: all, lines that were not there, uses or false: as
--          they were, note (JSON), where lines given back go as take_out.lua takes it or false, what has happened to it: see put_life in ../orders.lua, or absent, what join of take_out.lua takes or absent}
-- Returns  {verdict, detail, fields}: revised · refused (detail: why) · missing · left (units have left a node)
--          The error REVISED, which is not stored, if the order has changed since it was seen.
-- Invariants: those of take_out.lua; an order is changed once for what was seen of it.

-- `uses` without what has left, which stays counted.
local function uses_without(uses, gone)
  local left = {}
  for _, use in ipairs(uses) do
    local units, parcels = use[USE_UNITS], use[USE_PARCELS]
    for _, each in ipairs(gone) do
      if each[USE_NODE] == use[USE_NODE] and each[USE_DAY] == use[USE_DAY] then
        units, parcels = units - each[USE_UNITS], parcels - each[USE_PARCELS]
      end
    end
    if units > 0 then left[#left + 1] = { use[USE_NODE], use[USE_DAY], units, math.max(0, parcels) } end
  end
  return left
end

register_once('allot_revise_order_v1', function(keys, args)
  local work, order_id, now = open_work(keys[1], 'revise_order', args), args[1], now_ms()
  local expected, refusal, change = unpack(cmsgpack.unpack(args[2]))
  local fields = redis.call('HMGET', key_of(work, 'order', order_id), 'state', 'run_id', 'reservation_id', 'revision', 'uses', 'seq')
  if not fields[1] then return order_reply('missing', '') end
  if not is_as_seen(fields, expected) then return redis.error_reply('REVISED the order has changed since it was seen') end
  if refusal ~= '' then return order_reply('refused', refusal) end
  local state, rows, steering, given, lost, uses, note, goes_to, life, taken = unpack(change)
  local leaves = life and life[LEAVES_AT] ~= '' and life[LEAVES_AT]
  local own, packed = own_reservation(work, fields[RESERVATION_AT], now), fields[5]
  if has_left(own, packed) then return order_reply('left', '') end
  if given == true then
    give_all(work, fields[RESERVATION_AT], own)
  elseif not take_out(work, own, given, lost, order_id, leaves, goes_to) then
    return redis.error_reply('REVISED what the order has reserved has changed')
  end
  local joined = taken and join(work, own, taken, now)
  local reservation_id = joined or (own and not FIELD_OF[own.state] and '' or fields[RESERVATION_AT])
  if leaves then
    local left = reservation_id ~= '' and uses_without(cmsgpack.unpack(packed), life[GONE_AT]) or {}
    packed = #left > 0 and cmsgpack.pack(left) or ''
  elseif uses then
    if packed ~= '' then count_uses(work, cmsgpack.unpack(packed), -1) end
    count_uses(work, uses, 1)
    packed = #uses > 0 and cmsgpack.pack(uses) or ''
  end
  commit_work(work)
  write_capacity(work)
  if life then put_life(work, order_id, life) end
  if leaves then redis.call('HSET', key_of(work, 'order', order_id), 'left', 1) end
  enter_state(work, order_id, fields[6], state, ' ' .. note, now, 'rows', rows, 'steering', steering, 'revision',
    expected[REVISION_AT] + 1, 'reservation_id', reservation_id, 'uses', packed)
  return order_reply('revised', '', order_fields(work, order_id))
end)
