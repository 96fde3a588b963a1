-- The records of routing runs, and who works on them.
--
-- run:<id>        the record (JSON)            run_lease:<id>  the epoch of whoever works on it, while it shows signs of life
-- run_epoch:<id>  how often it was taken up    run_steps:<id>  hash: what it has decided and may not have committed yet
-- unfinished_runs set: ids of runs that are not over
-- run_windows     hash: start (the second) and run_id of the last scheduled window
-- Every function of one run has the first five keys, in this order.
-- Invariants: whoever takes a run up gets an epoch above all before it; with an earlier one nothing of the run is written
-- any more; a run that is over is never taken up, and never written again.

local RECORD, LEASE, EPOCH, STEPS, UNFINISHED = 1, 2, 3, 4, 5
local OVER = 1000000000

-- Tells the feed (engine/feed/lua/feed.lua) where a run stands.
local function tell(key, run_id, status)
  local time = redis.call('TIME')
  redis.call('XADD', string.match(key, '^{[^}]*}') .. ':events', 'MAXLEN', '~', 500000, '0-*', 'e', cmsgpack.pack({
    time[1] * 1000 + math.floor(time[2] / 1000), 'routing_run', '', '', { { run_id, status } } }))
end

local function epoch_of(keys) return tonumber(redis.call('GET', keys[EPOCH]) or 0) end

-- Makes a run, unless there is one of this id.
-- ARGV[1]  its id    ARGV[2]  its record    ARGV[3]  seconds to keep it
-- Returns  the record that is there already, or nil
redis.register_function('allot_create_run_v1', function(keys, args)
  local found = redis.call('SET', keys[RECORD], args[2], 'EX', args[3], 'NX', 'GET')
  if not found then
    redis.call('SADD', keys[UNFINISHED], args[1])
    tell(keys[RECORD], args[1], 'queued')
  end
  return found
end)

-- Takes up a run that nobody works on.
-- ARGV[1]  its id    ARGV[2]  seconds to keep its epoch    ARGV[3]  milliseconds of the lease
-- Returns  the epoch, 0 if somebody works on it, or it is over; of a run whose record has expired nothing is left then
redis.register_function('allot_claim_run_v1', function(keys, args)
  if redis.call('EXISTS', keys[RECORD]) == 0 then
    redis.call('SREM', keys[UNFINISHED], args[1])
    return 0
  end
  if epoch_of(keys) >= OVER or redis.call('EXISTS', keys[LEASE]) == 1 then return 0 end
  local epoch = redis.call('INCR', keys[EPOCH])
  redis.call('EXPIRE', keys[EPOCH], args[2])
  redis.call('SET', keys[LEASE], epoch, 'PX', args[3])
  redis.call('SADD', keys[UNFINISHED], args[1])
  return epoch
end)

-- Says that whoever has this epoch still works on the run.
-- ARGV[1]  the epoch    ARGV[2]  milliseconds of the lease
-- Returns  1; 0 if another has taken it up, or it is over
redis.register_function('allot_renew_run_v1', function(keys, args)
  if epoch_of(keys) ~= tonumber(args[1]) then return 0 end
  redis.call('SET', keys[LEASE], args[1], 'PX', args[2])
  return 1
end)

-- Replaces the record of a run; with the last one it is over.
-- ARGV[1]  the epoch    ARGV[2]  its id    ARGV[3]  the record    ARGV[4]  seconds to keep it    ARGV[5]  1 if it is over
-- ARGV[6]  its status (absent in calls of earlier versions)
-- Returns  1; 0 if another has taken it up, or it is over
redis.register_function('allot_put_run_v1', function(keys, args)
  if epoch_of(keys) ~= tonumber(args[1]) then return 0 end
  redis.call('SET', keys[RECORD], args[3], 'EX', args[4])
  if args[5] == '1' then
    redis.call('SET', keys[EPOCH], OVER, 'EX', args[4])
    redis.call('SREM', keys[UNFINISHED], args[2])
    redis.call('DEL', keys[LEASE], keys[STEPS])
    tell(keys[RECORD], args[2], args[6] or '')
  end
  return 1
end)

-- Keeps something that a run has decided.
-- ARGV[1]  the epoch    ARGV[2]  its name    ARGV[3]  its body    ARGV[4]  seconds to keep it
-- Returns  1; 0 if another has taken the run up, or it is over
redis.register_function('allot_keep_run_step_v1', function(keys, args)
  if epoch_of(keys) ~= tonumber(args[1]) then return 0 end
  redis.call('HSET', keys[STEPS], args[2], args[3])
  redis.call('EXPIRE', keys[STEPS], args[4])
  return 1
end)

-- Makes the run of a scheduled window, if no window of this second or later was opened and the run of the last is over.
-- KEYS[1]  run_windows    KEYS[2]  run:<id>    KEYS[3]  unfinished_runs
-- ARGV[1]  the second at which the window begins    ARGV[2]  the id of its run    ARGV[3]  its record
-- ARGV[4]  seconds to keep it
-- Returns  1; 0 if nothing was done
redis.register_function('allot_open_run_window_v1', function(keys, args)
  local start, run_id = unpack(redis.call('HMGET', keys[1], 'start', 'run_id'))
  if start and tonumber(start) >= tonumber(args[1]) then return 0 end
  if run_id and redis.call('SISMEMBER', keys[3], run_id) == 1 then return 0 end
  redis.call('HSET', keys[1], 'start', args[1], 'run_id', args[2])
  if redis.call('SET', keys[2], args[3], 'EX', args[4], 'NX') then
    redis.call('SADD', keys[3], args[2])
    tell(keys[2], args[2], 'queued')
  end
  return 1
end)
