-- Idempotency: a key that comes back gets the stored reply and has no second effect. Every function library includes
-- this file first. A function that changes something registers itself through `register_once`:
--
--   register_once('allot_hold_v1', function(keys, args) ... return reply end)
--
-- KEYS[1]  the idempotency record (Keys.replay(digest)), or Keys.no_replay if the call carries no idempotency key
-- ARGV[1]  the fingerprint of the request (sha256 of its raw body), or '' if the call carries no idempotency key
-- KEYS[2…], ARGV[2…] are handed to the function as keys[1…], args[1…]; a third argument says whether its reply is kept.
--
-- The function returns its reply as ONE STRING (it packs it itself: cjson.encode, cmsgpack.pack, struct.pack …). A
-- business refusal is a reply like any other, so it is stored too. redis.error_reply(...) or an error is NOT stored.
--
-- Returns  {0, reply} the first time · {1, reply} when it was stored before · the error REPLAYCONFLICT when the record
-- has another fingerprint (the client raises IdempotencyConflict).
--
-- Invariant: effect and record are written in the same call, so neither exists without the other. The record lives
-- 24 h: the fingerprint, a line feed, and the reply.
--
-- replays(records)  what is stored under a list of records ('' for none): record → {fingerprint, reply}; those without are absent
-- replay_store(record, fingerprint, reply)

local REPLAY_SECONDS = 86400

local function parted(stored)
  local line_feed = string.find(stored, '\n', 1, true)
  return { string.sub(stored, 1, line_feed - 1), string.sub(stored, line_feed + 1) }
end

local function replays(records)
  local keys, found = {}, {}
  for _, record in ipairs(records) do
    if record ~= '' then keys[#keys + 1] = record end
  end
  for i, stored in ipairs(#keys > 0 and redis.call('MGET', unpack(keys)) or {}) do
    if stored then found[keys[i]] = parted(stored) end
  end
  return found
end

local function replay_lookup(record, fingerprint)
  if fingerprint == '' then return nil end
  local stored = redis.call('GET', record)
  if not stored then return nil end
  stored = parted(stored)
  if stored[1] ~= fingerprint then
    return redis.error_reply('REPLAYCONFLICT the idempotency key was used before with another body')
  end
  return { 1, stored[2] }
end

local function replay_store(record, fingerprint, reply)
  if fingerprint == '' then return end
  redis.call('SET', record, fingerprint .. '\n' .. reply, 'EX', REPLAY_SECONDS)
end

local function register_once(name, body)
  redis.register_function(name, function(keys, args)
    local record, fingerprint = keys[1], args[1]
    if not record or not fingerprint then return redis.error_reply('ERR ' .. name .. ' needs a record and a fingerprint') end
    local stored = replay_lookup(record, fingerprint)
    if stored then return stored end
    table.remove(keys, 1)
    table.remove(args, 1)
    local reply = body(keys, args, fingerprint ~= '')
    if type(reply) == 'table' and reply.err then return reply end
    if type(reply) ~= 'string' then return redis.error_reply('ERR ' .. name .. ' must return one string') end
    replay_store(record, fingerprint, reply)
    return { 0, reply }
  end)
end
