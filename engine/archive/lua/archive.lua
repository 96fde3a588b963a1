-- Moves orders that are over out of the store, and back. Include after the inventory's commit.lua and orders.lua.
--
-- archived:<first 4 digits of sha1(id)>  hash: the next 8 bytes of sha1(id) → the number of the file that has the order
-- archive_fence                          files up to this number take no orders any more
--
-- Invariant: an order is in the store, or in the file that `archived` names, and never in neither: it is taken out of the store in
-- the call that writes down its file, if it is as it was when it was written there, and only while that file is not barred.

-- KEYS[1]  any key of the partition     ARGV[1]  bar files up to this number
-- Returns  1
redis.register_function('allot_fence_archive_v1', function(keys, args)
  local name = string.match(keys[1], '^{[^}]*}') .. ':archive_fence'
  if tonumber(args[1]) > tonumber(redis.call('GET', name) or 0) then redis.call('SET', name, args[1]) end
  return 1
end)

-- Takes orders out of the store that a file has.
-- KEYS[1]  any key of the partition (deadlines)     ARGV[1]  who     ARGV[2]  the number of the file
-- ARGV[3]  cmsgpack list of {order id, how many steps its history had}
-- Returns  for each order: archived · changed (since it was read) · keeps (stock, or something to be done elsewhere)
--          The error BARRED if the file takes no orders any more.
redis.register_function('allot_archive_orders_v1', function(keys, args)
  local work, now, number = open_work(keys[1]), now_ms(), tonumber(args[2])
  if number <= tonumber(redis.call('GET', key_of(work, 'archive_fence')) or 0) then
    return redis.error_reply('BARRED this file of the archive takes no orders any more')
  end
  local verdicts = {}
  for i, row in ipairs(cmsgpack.unpack(args[3])) do
    local id, steps = row[1], row[2]
    local order, history = key_of(work, 'order', id), key_of(work, 'order_history', id)
    local reservation_id, waiting = unpack(redis.call('HMGET', order, 'reservation_id', 'waiting'))
    local _, field = own_reservation(work, reservation_id or '', now)
    if not reservation_id or redis.call('LLEN', history) ~= steps then
      verdicts[i] = 'changed'
    elseif field or (waiting and waiting ~= '') or redis.call('ZSCORE', key_of(work, 'effects_due'), id)
      or redis.call('ZSCORE', key_of(work, 'open_orders'), id) then
      verdicts[i] = 'keeps'
    else
      redis.call('DEL', order, history)
      redis.call('ZREM', key_of(work, 'allocated'), id)
      local bucket, name = archive_place(work, id)
      redis.call('HSET', bucket, name, args[2])
      redis.call('XADD', key_of(work, 'events'), 'MAXLEN', '~', 500000, '0-*', 'e',
        cmsgpack.pack({ now, 'order', 'archive', args[1], { { id, 'archived', '' } } }))
      verdicts[i] = 'archived'
    end
  end
  return verdicts
end)

-- Puts an order back into the store, as it was.
-- KEYS[1]  any key of the partition     ARGV[1]  who     ARGV[2]  the number of its file     ARGV[3]  its id
-- ARGV[4]  so many of what follows are its fields and their values; the rest are the steps of its history
-- Returns  1, or 0 if this file does not have it (any more)
redis.register_function('allot_restore_order_v1', function(keys, args)
  local work, id = open_work(keys[1]), args[3]
  local bucket, name = archive_place(work, id)
  if redis.call('HGET', bucket, name) ~= args[2] then return 0 end
  local last = 4 + tonumber(args[4])
  redis.call('HSET', key_of(work, 'order', id), unpack(args, 5, last))
  for i = last + 1, #args do redis.call('RPUSH', key_of(work, 'order_history', id), args[i]) end
  redis.call('HDEL', bucket, name)
  redis.call('XADD', key_of(work, 'events'), 'MAXLEN', '~', 500000, '0-*', 'e',
    cmsgpack.pack({ now_ms(), 'order', 'restore', args[1], { { id, 'restored', '' } } }))
  return 1
end)
