-- Holds all lines or none, until a deadline.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  who
-- ARGV[3]  a message of one hold, as in holds.lua                     ARGV[4]  what its record keeps
-- Returns  held (kept, for a record) · reservation · short · unpeggable · taken (the id has other lines) · forestalled ·
--          past; the error TOOMANYHOLDS, which is not kept for the record, with how many are open, may be, and the holder

register_once('allot_hold_v1', function(keys, args, is_kept)
  local work, now = open_work(keys[1], 'hold', args), now_ms()
  local holds = holds_of(work, args[1], { args[2] }, now)
  local verdict = try_nth(work, holds, 1, now)
  commit_work(work)
  if type(verdict) == 'table' and verdict[1] == 'too_many_holds' then
    return redis.error_reply(string.format('TOOMANYHOLDS %d %d %s', verdict[3], verdict[4], verdict[2]))
  end
  return reply_of(work, holds, 1, verdict, is_kept)
end)
