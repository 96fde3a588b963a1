-- Lists parts of here whose home has to be asked.
-- KEYS[1]  any key of the partition (deadlines)     ARGV[1]  at most how many
-- Returns  cmsgpack list of {id, home, token, the version at which a consumption was tried or -1, 1 if patience is over};
--          home is -1 if there is no such part
-- Invariant: nothing is written.

redis.register_function({ function_name = 'allot_due_parts_v1', flags = { 'no-writes' }, callback = function(keys, args)
  local work, now, found = open_work(keys[1]), now_ms(), {}
  local due = redis.call('ZRANGEBYSCORE', key_of(work, 'parts_due'), '-inf', now, 'LIMIT', 0, args[1])
  for i, id in ipairs(due) do
    local part = part_at(work, id)
    found[i] = part and { id, part.home, part.token, part.tried and part.version or -1, now >= part.patience and 1 or 0 }
      or { id, -1, '', -1, 1 }
  end
  return cmsgpack.pack(found)
end })
