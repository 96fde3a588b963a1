-- Forgets a spread that was made, or refused and given up, in every partition, and answered.
-- KEYS[1]  any key of the partition (deadlines)     ARGV[1]  the name     ARGV[2]  the digest of its idempotency key, or ''
-- Returns  1

redis.register_function('allot_end_spread_v1', function(keys, args)
  local work, name, digest = open_work(keys[1]), unpack(args)
  if redis.call('HGET', key_of(work, 'key_of_spread'), digest) == name then
    redis.call('HDEL', key_of(work, 'key_of_spread'), digest)
  end
  redis.call('HDEL', key_of(work, 'spreads'), name)
  redis.call('HDEL', key_of(work, 'verdicts'), name)
  return 1
end)
