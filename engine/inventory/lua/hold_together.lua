-- Holds what several callers ask for at the same moment, in one step: each all or none by itself, each under its own
-- idempotency record. Include after hold_many.lua.
-- KEYS[1]  any key of the partition (deadlines)
-- ARGV[1]  who: who asks, or cmsgpack who by reservation id if they differ      ARGV[2]  1 if they differ, else 0
-- ARGV[3]  cmsgpack {holds as in holding.lua, today by node_id, records, fingerprints, buffers as in atp.lua or absent}; a
--          hold without an idempotency key has '' for both
-- Returns  a list of {0, reply} · {1, the reply stored before} · {2} (another body was sent under the key) · {3, reply}
--          (too many holds are open: not kept for the record), in order; replies are those of allot_hold_v1
-- Invariant: each record is written in the step that holds, and nothing is held for a key that was answered before.

local function hold_together(key, args)
  local differ, who = args[2] == '1', args[1]
  local work, now = open_work(key, 'hold', args), now_ms()
  if differ then work.who = cmsgpack.unpack(who) end
  local holds, today, records, fingerprints, buffers = unpack(cmsgpack.unpack(args[2]))
  local answers, first_of = {}, {}
  keep_back(work, buffers)
  make_ready(work, holds, now)
  for i, hold in ipairs(holds) do
    local stored, first = replay_lookup(records[i], fingerprints[i]), first_of[records[i]]
    if stored then answers[i] = stored.err and { 2 } or stored
    elseif first then answers[i] = fingerprints[first] == fingerprints[i] and { 1, first } or { 2 }
    else
      answers[i] = { 0, try_hold(work, hold, today, now) }
      if fingerprints[i] ~= '' then first_of[records[i]] = i end
    end
  end
  commit_work(work)
  for i, answer in ipairs(answers) do
    local verdict = answer[2]
    if type(verdict) == 'number' then  -- the key came twice at this moment: as the first one, which stands before
      answer[1], answer[2] = answers[verdict][1] == 3 and 3 or 1, answers[verdict][2]
    elseif answer[1] == 0 then
      local is_kept = fingerprints[i] ~= ''
      if verdict[1] == 'too_many_holds' then answer[1] = 3 end
      if verdict[1] == 'held' and is_kept then verdict = reservation_row(holds[i][ID], work.reservations[holds[i][ID]]) end
      answer[2] = cmsgpack.pack(verdict)
      if is_kept and answer[1] == 0 then replay_store(records[i], fingerprints[i], answer[2]) end
    end
  end
  return answers
end

redis.register_function('allot_hold_together_v1', function(keys, args)
  return without_collecting(hold_together, keys[1], args)
end)
