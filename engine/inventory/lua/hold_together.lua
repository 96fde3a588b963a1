-- Holds what several callers ask for at the same moment, in one step: each all or none by itself, each under its own
-- idempotency record.
-- KEYS[1]  any key of the partition (deadlines)
-- ARGV[1]  who: who asks, or cmsgpack who by reservation id if they differ      ARGV[2]  1 if they differ, else 0
-- ARGV[3]  cmsgpack {records, fingerprints}; a hold without an idempotency key has '' for both; false if none has one
-- ARGV[4]  a message of holds, as in holds.lua                                  ARGV[5…]  what their records keep
-- Returns  a list of two members for each hold, in order: HELD, its deadline in milliseconds · FRESH, cmsgpack what try_hold
--          returns · STORED, the reply stored before · CONFLICT, '' (another body was sent under the key) · TOO_MANY, as FRESH
--          (not kept for the record)
-- Invariant: each record is written in the step that holds, and nothing is held for a key that was answered before.

local FRESH, STORED, CONFLICT, TOO_MANY, HELD = 0, 1, 2, 3, 4

-- Returns the kind of the answer, the answer, and what to keep of it for an idempotency record.
local function answer_of(work, holds, i, now, is_kept)
  local verdict = try_nth(work, holds, i, now)
  if type(verdict) == 'number' then return HELD, verdict, is_kept and reply_of(work, holds, i, verdict, is_kept) end
  local reply = reply_of(work, holds, i, verdict, is_kept)
  if verdict[1] == 'too_many_holds' then return TOO_MANY, reply, false end
  return FRESH, reply, is_kept and reply
end

local function hold_together(key, args)
  local differ, who = args[2] == '1', args[1]
  table.remove(args, 2)
  local work, now = open_work(key, 'hold', args), now_ms()
  if differ then work.who = cmsgpack.unpack(who) end
  local keyed = cmsgpack.unpack(table.remove(args, 1))
  local holds = holds_of(work, table.remove(args, 1), args, now)
  local records, fingerprints = unpack(keyed or { NONE, NONE })
  local stored = replays(records)
  local answers, replies = {}, {}
  for i = 1, #holds.ids do
    local record, fingerprint = records[i] or '', fingerprints[i]
    local before, kind, answer, reply = stored[record], nil, nil, nil
    if not before then
      kind, answer, reply = answer_of(work, holds, i, now, record ~= '')
      if reply then
        replies[#replies + 1] = { record, fingerprint, reply }
        stored[record] = { fingerprint, reply }
      end
    elseif before[1] == fingerprint then kind, answer = STORED, before[2]
    else kind, answer = CONFLICT, '' end
    answers[2 * i - 1], answers[2 * i] = kind, answer
  end
  commit_work(work)
  for _, reply in ipairs(replies) do replay_store(unpack(reply)) end
  return answers
end

redis.register_function('allot_hold_together_v1', function(keys, args)
  return without_collecting(hold_together, keys[1], args)
end)
