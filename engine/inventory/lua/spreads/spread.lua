-- Makes of each function included after this file one that minds changes over several partitions: allot_adjust_v1 becomes
-- allot_spread_adjust_v1. Include after the shared snippets.
--
-- A `spread` is a change of positions in several partitions. Before it is decided on, it is awaited by every SKU it is
-- about: until it is made there, or given up, nothing else that comes by these functions changes them.
--   awaited   hash: SKU → "<partition that has the spread> <its name>"
--   spreads, verdicts  see begin_spread.lua
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  alone: a change of this partition only · await: look whether the spread
--          could be made here, and let it be awaited · make: make it
-- ARGV[3]  "<partition> <name>" of the spread, or ''            ARGV[4]  cmsgpack list of the SKUs of here
-- ARGV[5…] as the function itself takes them from ARGV[2] on
-- Returns  {0, reply} made · {1, reply} made before · {2, reply} it would be refused · {3, ''} it is awaited now ·
--          {4, cmsgpack list of spreads} of which one of the SKUs is awaiting another one: nothing was done
-- Invariant: a spread that is made in one partition after another is followed by nothing else until it is made in all.

local function awaiting(awaited, skus, spread)
  local found, seen = {}, {}
  if redis.call('EXISTS', awaited) == 0 then return found end
  for first = 1, #skus, AT_ONCE do
    local last = math.min(first + AT_ONCE - 1, #skus)
    for _, other in ipairs(redis.call('HMGET', awaited, unpack(skus, first, last))) do
      if other and other ~= spread and not seen[other] then
        found[#found + 1], seen[other] = other, true
      end
    end
  end
  return found
end

local function await_spread(awaited, skus, spread)
  local fields = {}
  for _, sku in ipairs(skus) do fields[#fields + 1], fields[#fields + 2] = sku, spread end
  call_many(fields, 'HSET', awaited)
end

-- Returns what a body would refuse; nil if nothing stands in its way.
local function refusal_of(body, key, args)
  local done, reply = pcall(body, { key }, args)
  if done then return reply end
  if not string.find(type(reply) == 'table' and reply.err or reply, 'CHECKED', 1, true) then error(reply) end
end

local function register_once(name, body)
  redis.register_function((name:gsub('^allot_', 'allot_spread_')), function(keys, args)
    local record, key, fingerprint = keys[1], keys[2], args[1]
    local act, spread, skus, prefix = args[2], args[3], cmsgpack.unpack(args[4]), string.match(key, '^{[^}]*}:')
    local stored, awaited = replay_lookup(record, fingerprint), prefix .. 'awaited'
    if stored then return stored end
    for _ = 1, 4 do table.remove(args, 1) end
    local others = act == 'make' and NONE or awaiting(awaited, skus, spread)
    if #others > 0 then return { 4, cmsgpack.pack(others) } end
    if act == 'await' then
      local refused = refusal_of(body, prefix .. 'check', args)
      if refused then return { 2, refused } end
      await_spread(awaited, skus, spread)
      return { 3, '' }
    end
    local reply = body({ key }, args, fingerprint ~= '')
    if type(reply) ~= 'string' then return reply end
    if act == 'make' then call_many(skus, 'HDEL', awaited) end
    replay_store(record, fingerprint, reply)
    return { 0, reply }
  end)
end
