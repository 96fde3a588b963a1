-- Decides on a spread, once and for all.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the name     ARGV[2]  the verdict: go · over (given up) · a refusal, packed
-- ARGV[3]  how old it has to be, in ms     ARGV[4]  the digest of its idempotency key, or ''
-- Returns  the verdict that stands, or "begun <ms>" if it is too young; '' if there is no such spread, any more
-- Invariants: of the spreads of one key one is made or refused, and the others are given up. Who decides `go` knows that it is
-- awaited in every partition.

local GIVEN_UP = 'over'

redis.register_function('allot_judge_spread_v1', function(keys, args)
  local work, name, verdict, age, digest = open_work(keys[2]), unpack(args)
  local verdicts, decided = key_of(work, 'verdicts'), key_of(work, 'key_of_spread')
  local standing = redis.call('HGET', verdicts, name)
  local begun = standing and string.match(standing, '^begun (%d+)$')
  -- Who began it judges at age 0, even if the clock was set back since.
  if not begun or (tonumber(age) > 0 and now_ms() < begun + age) then return standing or '' end
  if verdict ~= GIVEN_UP and digest ~= '' then
    if redis.call('EXISTS', keys[1]) == 1 or redis.call('HSETNX', decided, digest, name) == 0 then verdict = GIVEN_UP end
  end
  redis.call('HSET', verdicts, name, verdict)
  return verdict
end)
