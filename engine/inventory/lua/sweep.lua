-- Expires holds whose deadline has passed, oldest first.
-- KEYS[1]  the deadlines              ARGV[1]  who                     ARGV[2]  at most how many
-- Returns  how many
-- Invariant: units of an expired hold go back once.

redis.register_function('allot_sweep_v1', function(keys, args)
  local work = open_work(keys[1], 'sweep', args)
  local count = expire_due(work, now_ms(), tonumber(args[1]))
  commit_work(work)
  return count
end)
