-- Holds parts of reservations whose home is elsewhere, and whole reservations whose home is here, in order, in one step.
-- KEYS[1]  any key of the partition (deadlines)
-- ARGV[1]  who      ARGV[2]  the act (hold, hold_many)
-- ARGV[3]  cmsgpack {list of {hold as in holding.lua, from as in try_part.lua, or false if it is whole}, today by node_id,
--          buffers as in atp.lua}
-- Returns  cmsgpack list of what try_part, or try_hold of holding.lua, returns, in order
-- Invariant: each takes all its lines or none. Those of one attempt again take nothing more.

local FEW_DUE, MANY_DUE = 10, 1000
local FOR_WANT = { short = true, unpeggable = true }

redis.register_function('allot_hold_parts_v1', function(keys, args)
  local act = table.remove(args, 2)
  local work, now, verdicts, all_expired = open_work(keys[1], act, args), now_ms(), {}, false
  local rows, today, buffers = unpack(cmsgpack.unpack(args[1]))
  keep_back(work, buffers)
  local function try(hold, from)
    if from then return try_part(work, hold, from, today, now) end
    return try_hold(work, hold, today, now)
  end
  if expire_due(work, now, FEW_DUE) > 0 then commit_work(work) end
  for i, row in ipairs(rows) do
    local verdict = try(row[1], row[2])
    if FOR_WANT[verdict[1]] and not all_expired then
      all_expired = true
      if expire_due(work, now, MANY_DUE) > 0 then verdict = try(row[1], row[2]) end
    end
    verdicts[i] = verdict
  end
  commit_work(work)
  return cmsgpack.pack(verdicts)
end)
