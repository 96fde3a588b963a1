-- Changes an order that is at home here as nodes or people have said, if it is as it was seen; parts of its reservation in other
-- partitions follow, and so does what it uses of nodes.
-- KEYS, ARGV  as in revise.lua, where change has one member more: {…, what uses become: drop · a JSON list of them · '' as they
--             were}, uses is not read, and expected has the version of the reservation, from which lines that were not there have
--             left in other partitions already, or -1. What units that leave have used stays counted
-- Returns  as revise.lua, then a list of its reservations that changed and have parts elsewhere, its uses or '', and what they become

local VERSION_AT = 5

register_once('allot_revise_order_over_v1', function(keys, args)
  local work, order_id, now = open_work(keys[1], 'revise_order', args), args[1], now_ms()
  local expected, refusal, change = unpack(cmsgpack.unpack(args[2]))
  local fields = redis.call('HMGET', key_of(work, 'order', order_id), 'state', 'run_id', 'reservation_id', 'revision', 'uses', 'seq',
    'waiting')
  if not fields[1] then return order_reply('missing', '') end
  if not is_as_seen(fields, expected) then return redis.error_reply('REVISED the order has changed since it was seen') end
  if refusal ~= '' then return order_reply('refused', refusal) end
  local state, rows, steering, given, lost, _, note, becomes, life = unpack(change)
  local leaves = life and life[LEAVES_AT] ~= '' and life[LEAVES_AT]
  local uses, id = fields[5], fields[RESERVATION_AT]
  local all = own_reservations(work, id, fields[7], now)
  if order_has_left(all, uses) then return order_reply('left', '') end
  local own, has_them, gone, told = own_reservation(work, id, now), true, {}, nil
  if given == true then
    told = {}
    for i, each in ipairs(all) do
      give_all(work, each.id, each.reservation)
      told[i] = each.id
    end
    redis.call('HSET', key_of(work, 'order', order_id), 'waiting', '')
  else
    has_them, gone = take_out(work, own, given, lost, order_id, leaves)
  end
  if not has_them then return redis.error_reply('REVISED what the order has reserved has changed') end
  for _, line in ipairs(gone) do
    if line[DATED] == FAR then
      if own.version ~= expected[VERSION_AT] then return redis.error_reply('REVISED its other parts have to go first') end
      own.eaten = own.eaten or {}
      table.insert(own.eaten, line)
    end
  end
  told = told or own and own.dirty and own.parts and { id } or {}
  if own and not FIELD_OF[own.state] then id = '' end
  commit_work(work)
  if becomes ~= '' then settle_uses_later(work, uses, becomes) end
  if life then put_life(work, order_id, life) end
  if leaves then redis.call('HSET', key_of(work, 'order', order_id), 'left', 1) end
  if leaves and uses ~= '' then uses = id == '' and '' or name_left(uses, life[GONE_AT]) end
  enter_state(work, order_id, fields[6], state, ' ' .. note, now, 'rows', rows, 'steering', steering, 'revision',
    expected[REVISION_AT] + 1, 'reservation_id', id, 'uses', becomes == 'drop' and '' or uses)
  return cmsgpack.pack({ 'revised', '', order_fields(work, order_id), told, becomes ~= '' and uses or '', becomes })
end)

-- Lowers what an allocation uses of nodes, where uses are counted (../partitions/uses.lua).
-- KEYS[1]  any key of the partition (deadlines)     ARGV[1]  cmsgpack list of {reservation id, uses}
-- Returns  1
-- Invariant: the same again, or an earlier one after a later one, changes nothing: what is used only goes down.
redis.register_function('allot_lower_uses_v1', function(keys, args)
  local work = open_work(keys[1])
  for _, row in ipairs(cmsgpack.unpack(args[1])) do
    local id, uses = unpack(row)
    redis.call('ZREM', key_of(work, 'uses_due'), (split_name(id)))
    local use, left = use_at(work, id), {}
    if use then
      for _, before in ipairs(use[3]) do
        for _, after in ipairs(uses) do
          if before[USE_NODE] == after[USE_NODE] and before[USE_DAY] == after[USE_DAY] then
            left[#left + 1] = { before[USE_NODE], before[USE_DAY], math.min(before[USE_UNITS], after[USE_UNITS]),
              math.min(before[USE_PARCELS], after[USE_PARCELS]) }
          end
        end
      end
      count_uses(work, use[3], -1)
      count_uses(work, left, 1)
      put_use(work, id, { use[1], use[2], left, use[4] })
    end
  end
  write_capacity(work)
  return 1
end)
