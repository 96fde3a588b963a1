-- Holds many reservations in one step, each all or none by itself; they see what those before them took.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  who
-- ARGV[3]  a message of holds, as in holds.lua                        ARGV[4…]  what their records keep
-- Returns  cmsgpack list of what try_nth of holds.lua returns, in order
-- The id of each reservation is an idempotency record too: the same hold again, in whatever call, takes nothing more.

local function hold_all(key, args)
  local work, now, verdicts = open_work(key, 'hold_many', args), now_ms(), {}
  local holds = holds_of(work, table.remove(args, 1), args, now)
  for i = 1, #holds.ids do verdicts[i] = try_nth(work, holds, i, now) end
  commit_work(work)
  return cmsgpack.pack(verdicts)
end

register_once('allot_hold_many_v1', function(keys, args) return without_collecting(hold_all, keys[1], args) end)
