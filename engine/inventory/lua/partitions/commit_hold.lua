-- Makes a reservation at its home: takes its lines of here, and counts on the parts that other partitions hold.
-- KEYS[1]  the idempotency record     KEYS[2]  any key of the partition (deadlines)
-- ARGV[1]  the fingerprint            ARGV[2]  who                     ARGV[3]  cmsgpack today by node_id
-- ARGV[4]  cmsgpack the hold, as in holding.lua
-- ARGV[5]  cmsgpack {partitions of its lines, places of its lines that are here, tokens of the attempts that hold its parts,
--          when it is too late (ms)}; the first is empty if all its lines are here
-- ARGV[6]  cmsgpack buffers as in atp.lua
-- ARGV[7]  first · again: parts here that are due were looked after · known: answer only if the reservation exists
-- Returns  reservation · short, unpeggable (all its lines are here) · taken (the id has other lines) · forestalled · past
--          Errors, which are not stored, and with which nothing is done: LATE an attempt was given up · PARTSDUE lines are
--          short, and parts here are due · SHORT lines of here are short · UNKNOWN there is no such reservation ·
--          TOOMANYHOLDS as in hold.lua
-- Invariant: all parts of a reservation were held before it is made, and none was given back: who gives back the parts of
-- an attempt bars it here first.

local FEW_DUE, MANY_DUE = 10, 1000
local FOR_WANT = { short = true, unpeggable = true }

local function is_barred(work, tokens)
  for _, token in ipairs(tokens) do
    if redis.call('EXISTS', key_of(work, 'barred', token)) == 1 then return true end
  end
  return false
end

local function crossing_of(partitions, here, held)
  local function mark(lines)
    local wanted, at = {}, 1
    for i, line in ipairs(lines) do
      if here[at] ~= i then
        line[LINE_SLOT], line[DATED] = -1, FAR
      else
        if held then lines[i] = held[at] else wanted[#wanted + 1] = line end
        at = at + 1
      end
    end
    return wanted
  end
  return { partitions = partitions, mark = mark }
end

register_once('allot_commit_hold_v1', function(keys, args)
  local work, now = open_work(keys[1], 'hold', args), now_ms()
  local today, hold = cmsgpack.unpack(args[1]), cmsgpack.unpack(args[2])
  local partitions, here, tokens, too_late = unpack(cmsgpack.unpack(args[3]))
  local id, mode = hold[ID], args[5]
  keep_back(work, cmsgpack.unpack(args[4]))
  if mode == 'known' then
    if not reservation_at(work, id, now) then return redis.error_reply('UNKNOWN reservation') end
  elseif now > too_late or is_barred(work, tokens) then
    return redis.error_reply('LATE the attempt was given up')
  end
  if expire_due(work, now, FEW_DUE) > 0 then commit_work(work) end
  local part = #partitions > 0 and part_at(work, id)
  local held = part and part.state == 'held'
  if held and #part.lines ~= #here then return redis.error_reply('LATE some of its units were received meanwhile') end
  local crossing = #partitions > 0 and crossing_of(partitions, here, held and part.lines or nil) or nil
  local existed = reservation_at(work, id, now)
  local verdict = try_hold(work, hold, today, now, crossing)
  if FOR_WANT[verdict[1]] and expire_due(work, now, MANY_DUE) > 0 then
    commit_work(work)
    hold = cmsgpack.unpack(args[2])
    verdict = try_hold(work, hold, today, now, crossing)
  end
  if FOR_WANT[verdict[1]] then
    local due = redis.call('ZRANGEBYSCORE', key_of(work, 'parts_due'), '-inf', now, 'LIMIT', 0, 1)
    if mode == 'first' and #due > 0 then return redis.error_reply('PARTSDUE parts of others are due') end
    if crossing then return redis.error_reply('SHORT lines of here') end
  end
  if verdict[1] == 'too_many_holds' then
    return redis.error_reply(string.format('TOOMANYHOLDS %d %d %s', verdict[3], verdict[4], verdict[2]))
  end
  if held and (not existed or existed.state ~= 'forestalled') then
    -- The lines are in the reservation now. If it existed before, they were taken a second time.
    if existed then give_back(work, part.lines, 'held', id, part.channel) end
    part.state, part.lines, part.dirty = 'closed', {}, true
  end
  commit_work(work)
  if verdict[1] == 'held' then return reservation_reply(id, work.reservations[id]) end
  if verdict[1] == 'reservation' then return reservation_reply(id, reservation_at(work, id, now)) end
  return cmsgpack.pack(verdict)
end)
