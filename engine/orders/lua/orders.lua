-- One order in the store, for the functions of this library. Include after the inventory's commit.lua.
--
-- order:<id>          hash: doc (what was captured, JSON), fingerprint, demand, channel, seq, and what moves: state, run_id,
--                     rows (the allocation, JSON), reservation_id, uses (cmsgpack, see capacity.lua); and, once nodes or people
--                     have said something of it, steering (JSON) and revision, how often; and, once it has been modified or units
--                     of it have left, routed: doc with what there is to route
--                     life, what has happened to it beside routing (JSON); left, 1 once units of it have left a node
-- order_history:<id>  list: "<ms> <state> <run_id>", or "<ms> <state>  <note (JSON)>", oldest first; where a note has come
--                     with a life, the state is the one that people see
-- node_work:<node>    sorted set, all of score 0: "<day> <order id>" of orders that have shipments with the node; the order's field work
--                     (cmsgpack) says in which of them it stands
-- effects_due         sorted set: ids of orders that have something to be done elsewhere, by when (ms)
-- open_orders         sorted set: ids of captured and backordered orders, by seq        order_seq  the last seq given
-- allocated           sorted set: ids of orders that a run has decided on, by when it did (ms), until they are cancelled
--
-- Invariants: an order is in open_orders exactly when its state is captured or backordered; a reservation that is an order's names it in its field `order_id`, and belongs to no second one.

local STEERING_AT, LEAVES_AT, WORK_AT, GONE_AT = 6, 6, 7, 8
local OPEN = { captured = true, backordered = true }

-- The fields that make an order (doc, state, reservation_id, run_id, rows, steering, life), or nil when there is no such order.
local function order_fields(work, order_id)
  local fields = redis.call('HMGET', key_of(work, 'order', order_id), 'doc', 'state', 'reservation_id', 'run_id', 'rows',
    'steering', 'life')
  return fields[1] and fields or nil
end

-- Moves an order into a state, sets further fields (name, value, …), and writes down which run did it, or '', or a blank and
-- what was said. `work.told` is the state that its history has, if that is another one.
local function enter_state(work, order_id, seq, state, run_id, now, ...)
  redis.call('HSET', key_of(work, 'order', order_id), 'state', state, ...)
  local told = work.told or state
  redis.call('RPUSH', key_of(work, 'order_history', order_id), string.format('%.0f %s %s', now, told, run_id))
  redis.call('XADD', key_of(work, 'events'), 'MAXLEN', '~', 500000, '0-*', 'e',
    cmsgpack.pack({ now, 'order', work.act or '', work.who or '', { { order_id, told, run_id } } }))
  if OPEN[state] then
    redis.call('ZADD', key_of(work, 'open_orders'), seq, order_id)
  else
    redis.call('ZREM', key_of(work, 'open_orders'), order_id)
  end
  if state == 'cancelled' then
    redis.call('ZREM', key_of(work, 'allocated'), order_id)
  elseif run_id ~= '' and string.sub(run_id, 1, 1) ~= ' ' then
    redis.call('ZADD', key_of(work, 'allocated'), now, order_id)
  end
end

-- Writes which nodes have shipments of an order with them: {node, its place in the list of the node}, ….
local function put_work(work, order_id, places)
  if not places then return end
  local order = key_of(work, 'order', order_id)
  local before = redis.call('HGET', order, 'work')
  if not before and #places == 0 then return end
  for _, place in ipairs(before and cmsgpack.unpack(before) or {}) do
    redis.call('ZREM', key_of(work, 'node_work', place[1]), place[2])
  end
  for _, place in ipairs(places) do redis.call('ZADD', key_of(work, 'node_work', place[1]), 0, place[2]) end
  if #places == 0 then redis.call('HDEL', order, 'work') else redis.call('HSET', order, 'work', cmsgpack.pack(places)) end
end

-- Writes what has happened to an order: {life (JSON), doc with what there is to route or '', its demand, when the next of its effects
-- is due (ms) or '', the state that people see, 'some' or 'all' if units leave now or '', places for put_work or absent, what
-- units that leave now have used of nodes (uses as in capacity.lua)}.
local function put_life(work, order_id, change)
  local life, routed, demand, due, told = unpack(change)
  redis.call('HSET', key_of(work, 'order', order_id), 'life', life, 'routed', routed, 'demand', demand)
  if due == '' then
    redis.call('ZREM', key_of(work, 'effects_due'), order_id)
  else
    redis.call('ZADD', key_of(work, 'effects_due'), due, order_id)
  end
  put_work(work, order_id, change[WORK_AT])
  work.told = told
end

-- As put_life, of an order that is captured now; the last member is what was said of it already (steering, JSON), or ''.
local function begin_life(work, order_id, change)
  put_life(work, order_id, change)
  if change[STEERING_AT] ~= '' then redis.call('HSET', key_of(work, 'order', order_id), 'steering', change[STEERING_AT]) end
end

-- The reservation that keeps an order's stock, or nil; and the cell field of its units, nil if it keeps nothing now.
local function own_reservation(work, reservation_id, now)
  if reservation_id == '' then return nil end
  local own = reservation_at(work, reservation_id, now)
  return own, own and FIELD_OF[own.state]
end

-- Whether units of an order have left a node. Confirmed stock is never forgotten; a reservation that is over is, after a
-- day, and then only the order's uses still tell that it had some.
local function has_left(own, uses)
  if own then return own.consumed end
  return uses ~= ''
end

-- The reply of a function that answers for one order: a verdict, a word about it, and the order's fields.
local function order_reply(verdict, detail, fields) return cmsgpack.pack({ verdict, detail, fields or {} }) end

-- The hash, and the field in it, that name the file of an order which has been archived (engine/archive/lua/archive.lua).
local function archive_place(work, order_id)
  local digest = redis.sha1hex(order_id)
  return key_of(work, 'archived', string.sub(digest, 1, 4)),
    struct.pack('>I4I4', tonumber(string.sub(digest, 5, 12), 16), tonumber(string.sub(digest, 13, 20), 16))
end

-- What is replied to a capture whose id has an order already, archived ones too; nil if it has none.
local function known_capture(work, order_id, digest)
  local known = redis.call('HGET', key_of(work, 'order', order_id), 'fingerprint')
  if not known then
    return redis.call('HEXISTS', archive_place(work, order_id)) == 1 and order_reply('archived', '') or nil
  end
  if known ~= digest then return order_reply('other', '') end
  return order_reply('captured', '', order_fields(work, order_id))
end

-- Makes the reservation that an order came with, if any, the order's; returns the reply that refuses that, or nil.
local function claim_reservation(work, order_id, reservation_id, now)
  if reservation_id == '' then return nil end
  local own, field = own_reservation(work, reservation_id, now)
  if not own or own.state == 'forestalled' then return order_reply('no_reservation', '') end
  if not field or own.consumed then
    commit_work(work)
    return order_reply('past', own.consumed and 'consumed' or own.state)
  end
  if own.order_id and own.order_id ~= order_id then return order_reply('taken', own.order_id) end
  own.order_id, own.dirty = order_id, true
  commit_work(work)
end
