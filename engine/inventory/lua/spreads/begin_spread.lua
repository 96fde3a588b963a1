-- Begins a change over several partitions, which is decided on here.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  the digest of the idempotency key, or ''
-- ARGV[3]  a new name                 ARGV[4]  the calls to be made, packed
-- Returns  {0, ''} · {1, reply} it was answered before · {2, name} of the spread that was decided on under this key
-- Keys: spreads   hash: name → the calls     verdicts  hash: name → "begun <ms>", then the verdict (judge_spread.lua);
--       key_of_spread  hash: digest → name of the spread that was decided on

redis.register_function('allot_begin_spread_v1', function(keys, args)
  local work, fingerprint, digest, name, calls = open_work(keys[2]), unpack(args)
  local stored = replay_lookup(keys[1], fingerprint)
  if stored then return stored end
  local decided = digest ~= '' and redis.call('HGET', key_of(work, 'key_of_spread'), digest)
  if decided then return { 2, decided } end
  redis.call('HSET', key_of(work, 'spreads'), name, calls)
  redis.call('HSET', key_of(work, 'verdicts'), name, string.format('begun %.0f', now_ms()))
  return { 0, '' }
end)
