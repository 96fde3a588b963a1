-- Holds all lines or none, until a deadline.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  who                     ARGV[3]  cmsgpack today by node_id
-- ARGV[4]  cmsgpack the hold, as in holding.lua                        ARGV[5]  cmsgpack buffers as in atp.lua, or absent
-- Returns  reservation (if a record keeps it; else held) · short · unpeggable · taken (the id has other lines) · forestalled ·
--          past; the error TOOMANYHOLDS, which is not kept for the record, with how many are open, may be, and the holder
-- Due deadlines go first: a few always, more before it refuses.

local FEW_DUE, MANY_DUE = 10, 1000
local FOR_WANT = { short = true, unpeggable = true, too_many_holds = true }

register_once('allot_hold_v1', function(keys, args, is_kept)
  local work, now = open_work(keys[1], 'hold', args), now_ms()
  local today, hold = cmsgpack.unpack(args[1]), cmsgpack.unpack(args[2])
  if args[3] then keep_back(work, cmsgpack.unpack(args[3])) end
  if expire_due(work, now, FEW_DUE) > 0 then commit_work(work) end
  local verdict = try_hold(work, hold, today, now)
  if FOR_WANT[verdict[1]] and expire_due(work, now, MANY_DUE) > 0 then
    commit_work(work)
    verdict = try_hold(work, hold, today, now)
  end
  commit_work(work)
  if verdict[1] == 'too_many_holds' then
    return redis.error_reply(string.format('TOOMANYHOLDS %d %d %s', verdict[3], verdict[4], verdict[2]))
  end
  if verdict[1] == 'held' and is_kept then return reservation_reply(hold[ID], work.reservations[hold[ID]]) end
  return cmsgpack.pack(verdict)
end)
