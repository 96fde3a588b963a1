-- Webhooks: who is sent which events, and how far they have taken them.
--
-- webhook:<id>             hash: config (JSON), generation of its secret, old_until (ms) to when the one before is good too,
--                          state (active or disabled), why, cursor in the feed, delivered (JSON: ids after the cursor that
--                          were taken), failing_since (ms, 0: it is not), attempts, next_try (ms), missed (ms, 0: never)
-- webhooks                 sorted set of ids, in the order of their creation       webhook_seq  the last number given
-- webhook_deliveries:<id>  list of the last deliveries (JSON), newest first
-- Every function takes as a key any key of the first partition.

local MOST_DELIVERIES = 100

local function key_of(key, word, id)
  return string.match(key, '^{[^}]*}') .. ':' .. word .. (id and ':' .. id or '')
end

-- KEYS[1]  the idempotency record    KEYS[2]  any key
-- ARGV[1]  the fingerprint           ARGV[2]  id    ARGV[3]  config    ARGV[4]  cursor    ARGV[5]  how many there may be
-- Returns  created, a line feed and the config · many
register_once('allot_create_webhook_v1', function(keys, args)
  local key, all = key_of(keys[1], 'webhook', args[1]), key_of(keys[1], 'webhooks')
  if redis.call('EXISTS', key) == 0 then
    if redis.call('ZCARD', all) >= tonumber(args[4]) then return 'many' end
    redis.call('HSET', key, 'config', args[2], 'generation', 1, 'old_until', 0, 'state', 'active', 'why', '', 'cursor', args[3],
      'delivered', '[]', 'failing_since', 0, 'attempts', 0, 'next_try', 0, 'missed', 0)
    redis.call('ZADD', all, redis.call('INCR', key_of(keys[1], 'webhook_seq')), args[1])
  end
  return 'created\n' .. args[2]
end)

-- KEYS as above    ARGV[1]  the fingerprint    ARGV[2]  id    ARGV[3]  until when (ms) the secret of now is good too
-- Returns  the new generation and until when, or missing
register_once('allot_rotate_webhook_v1', function(keys, args)
  local key = key_of(keys[1], 'webhook', args[1])
  if redis.call('EXISTS', key) == 0 then return 'missing' end
  local generation = redis.call('HINCRBY', key, 'generation', 1)
  redis.call('HSET', key, 'old_until', args[2])
  return generation .. ' ' .. args[2]
end)

-- KEYS as above    ARGV[1]  the fingerprint    ARGV[2]  id         Returns  active · missing
register_once('allot_enable_webhook_v1', function(keys, args)
  local key = key_of(keys[1], 'webhook', args[1])
  if redis.call('EXISTS', key) == 0 then return 'missing' end
  redis.call('HSET', key, 'state', 'active', 'why', '', 'failing_since', 0, 'attempts', 0, 'next_try', 0)
  return 'active'
end)

-- KEYS[1]  any key    ARGV[1]  id    Returns  1 · 0 if there is no such webhook
redis.register_function('allot_delete_webhook_v1', function(keys, args)
  redis.call('DEL', key_of(keys[1], 'webhook_deliveries', args[1]))
  redis.call('ZREM', key_of(keys[1], 'webhooks'), args[1])
  return redis.call('DEL', key_of(keys[1], 'webhook', args[1]))
end)

-- Notes what came of sending to a webhook.
-- KEYS[1]  any key
-- ARGV[1]  id    ARGV[2]  cmsgpack deliveries (JSON each)    ARGV[3]  the cursor and what was delivered after it, as it was
-- read, with a line feed between · or '' to note deliveries only    ARGV[4] …  fields and values
-- Returns  1 · 0 if it is gone, disabled, or somebody else has sent to it meanwhile; the deliveries are noted all the same
-- Invariant: of two who send to a webhook at once, one moves its cursor; the other stops.
redis.register_function('allot_note_webhook_v1', function(keys, args)
  local key, list = key_of(keys[1], 'webhook', args[1]), key_of(keys[1], 'webhook_deliveries', args[1])
  local state, cursor, delivered = unpack(redis.call('HMGET', key, 'state', 'cursor', 'delivered'))
  if not state then return 0 end
  for _, delivery in ipairs(cmsgpack.unpack(args[2])) do redis.call('LPUSH', list, delivery) end
  redis.call('LTRIM', list, 0, MOST_DELIVERIES - 1)
  if args[3] == '' then return 1 end
  if state ~= 'active' or cursor .. '\n' .. delivered ~= args[3] then return 0 end
  redis.call('HSET', key, unpack(args, 4))
  return 1
end)
