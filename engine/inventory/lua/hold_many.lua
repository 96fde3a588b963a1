-- Holds many reservations in one step, each all or none by itself; they see what those before them took.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  who
-- ARGV[3]  cmsgpack {holds as in holding.lua, today by node_id, buffers as in atp.lua or absent}
-- Returns  cmsgpack list of what try_hold of holding.lua returns, in order
-- The id of each reservation is an idempotency record too: the same hold again, in whatever call, takes nothing more.

local MANY_DUE = 1000

-- Gives back what is due, so that the holds of this call find it, and reads what is known of their ids.
local function make_ready(work, holds, now)
  expire_due(work, now, MANY_DUE)
  local ids = {}
  for i, hold in ipairs(holds) do ids[i] = hold[ID] end
  look_up(work, ids)
end

-- A batch makes thousands of tables that all live until its end: looking for garbage among them takes a quarter of it. So
-- all of it is collected then, at once.
local function without_collecting(work_of_batch, key, args)
  collectgarbage('stop')
  local done, reply = pcall(work_of_batch, key, args)
  collectgarbage('restart')
  collectgarbage()
  if not done then error(reply) end
  return reply
end

local function hold_all(key, args)
  local work, now, verdicts = open_work(key, 'hold_many', args), now_ms(), {}
  local holds, today, buffers = unpack(cmsgpack.unpack(args[1]))
  keep_back(work, buffers)
  make_ready(work, holds, now)
  for i, hold in ipairs(holds) do verdicts[i] = try_hold(work, hold, today, now) end
  commit_work(work)
  return cmsgpack.pack(verdicts)
end

register_once('allot_hold_many_v1', function(keys, args) return without_collecting(hold_all, keys[1], args) end)
