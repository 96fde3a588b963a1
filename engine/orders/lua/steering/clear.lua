-- Takes what is personal out of an order, and out of what was answered of it. Include after take_out.lua.
--
-- Invariants: where the order stands, its stock and its money stay as they are; an order that has changed since it was seen stays
-- whole. Records keep their fingerprints and their time, so a key has its one effect.

local LIFE_AT = 7

-- KEYS[1]  any key of the partition     ARGV[1]  who     ARGV[2]  the order id
-- ARGV[3]  cmsgpack {expected, doc (JSON), life (JSON), routed (JSON), the state that people see, steering (JSON), note (JSON)}
--          expected: {state, run_id, reservation_id, revision}
-- Returns  1 · 0 if the order is not there, or has changed since it was seen
redis.register_function('allot_clear_order_v1', function(keys, args)
  local work, order_id, now = open_work(keys[1], 'clear', args), args[1], now_ms()
  local expected, doc, life, routed, told, steering, note = unpack(cmsgpack.unpack(args[2]))
  local order = key_of(work, 'order', order_id)
  local fields = redis.call('HMGET', order, 'state', 'run_id', 'reservation_id', 'revision')
  if not fields[1] or not is_as_seen(fields, expected) then return 0 end
  redis.call('HSET', order, 'doc', doc, 'life', life, 'routed', routed, 'steering', steering,
    'revision', expected[REVISION_AT] + 1)
  redis.call('RPUSH', key_of(work, 'order_history', order_id), string.format('%.0f %s  %s', now, told, note))
  redis.call('XADD', key_of(work, 'events'), 'MAXLEN', '~', 500000, '0-*', 'e',
    cmsgpack.pack({ now, 'order', work.act, work.who, { { order_id, told, ' ' .. note } } }))
  return 1
end)

-- Looks at some of the idempotency records of a partition; what they say of orders becomes what these are now.
-- KEYS[1]  any key of the partition     ARGV[1]  a cursor, 0 at first     ARGV[2]  how many records, about
-- ARGV[3]  cmsgpack list of {the id as JSON, doc, life}
-- Returns  the next cursor, 0 at the end
redis.register_function('allot_clear_answers_v1', function(keys, args)
  local work, orders = open_work(keys[1]), {}
  for _, row in ipairs(cmsgpack.unpack(args[3])) do orders[row[1]] = row end
  local found = redis.call('SCAN', args[1], 'MATCH', work.prefix .. ':replay:*', 'COUNT', args[2])
  for _, record in ipairs(found[2]) do
    local stored = redis.call('GET', record)
    local parts = stored and parted(stored)
    local is_packed, reply = pcall(cmsgpack.unpack, parts and parts[2] or '')
    local fields = is_packed and type(reply) == 'table' and reply[3]
    local doc = type(fields) == 'table' and fields[1]
    local row = type(doc) == 'string' and orders[string.match(doc, '^{"order_id":(".-"),"channel":')]
    if row then
      fields[1], fields[LIFE_AT] = row[2], row[3]
      redis.call('SET', record, parts[1] .. '\n' .. cmsgpack.pack(reply), 'KEEPTTL')
    end
  end
  return found[1]
end)
