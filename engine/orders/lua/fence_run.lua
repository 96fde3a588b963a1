-- Raises the fence of a run in this partition, see fence.lua; a run that is over has its epoch above all.
-- KEYS[1]  any key of the partition (open_orders)     ARGV[1]  the run id     ARGV[2]  the epoch
-- Returns  1
-- Invariant: a fence is never lowered.

redis.register_function('allot_fence_run_v1', function(keys, args)
  local work, run_id, epoch = open_work(keys[1]), args[1], tonumber(args[2])
  pass_fence(work, run_id, math.max(epoch, tonumber(redis.call('GET', key_of(work, 'run_fence', run_id)) or 0)))
  if epoch >= RUN_OVER then redis.call('DEL', key_of(work, 'run_done', run_id)) end
  return 1
end)

-- Tells which orders a run has committed in this partition.
-- KEYS[1]  any key of the partition (open_orders)     ARGV[1]  the run id     ARGV[2] …  order ids
-- Returns  a list of 1 and 0
-- Invariant: nothing is written.

redis.register_function({ function_name = 'allot_done_by_run_v1', flags = { 'no-writes' }, callback = function(keys, args)
  return redis.call('SMISMEMBER', key_of(open_work(keys[1]), 'run_done', args[1]), unpack(args, 2))
end })
