-- Decides on allocations of orders that are at home here, whose lines and uses were tried everywhere, here too. Each order by
-- itself, all in one step.
-- KEYS[1]  any key of the partition (deadlines)
-- ARGV[1]  who     ARGV[2]  the run id     ARGV[4]  the epoch of the run, or absent, see ../fence.lua
-- ARGV[3]  cmsgpack list of {order id, state to enter, rows (JSON), reservation id to give, lines, places of those of here,
--          partitions of all (empty: only here), token of the attempt, own reservations as they were found: a list of {id, version,
--          lines that stay}, whether uses were tried, when it is too late (ms), revision as in ../commit.lua}
-- Returns  an error FENCED, and nothing is done; or a cmsgpack list of {'committed', reservation id, list of earlier reservations that changed, their uses or ''} ·
--          {'gone'} · {'moved', 'revised'} · {'again'}: the attempt was given up, or what the order holds has changed since it was looked at
-- Invariants: those of ../commit.lua. What waits for a later day, of a SKU that is not shipped, stays in the reservation it is
-- in, which is confirmed with it.

local function mark_far(lines, here, held)
  local at = 1
  for i, line in ipairs(lines) do
    if here[at] == i then
      lines[i], at = held[at], at + 1
    else
      line[LINE_SLOT], line[DATED] = -1, FAR
    end
  end
end

-- Divides what the order holds into what it gives back and what stays; false if it is not what was found.
local function divide_own(own, found)
  local by_id = {}
  for _, row in ipairs(found) do by_id[row[1]] = row end
  for _, each in ipairs(own) do
    local row, too_many = by_id[each.id], {}
    if each.field then
      if not row or row[2] ~= (each.reservation.version or 0) then return false end
      each.staying, each.given = {}, each.reservation.lines
      if #row[3] > 0 then each.staying, each.given, too_many = split_lines(each.reservation, row[3]) end
      if #too_many > 0 then return false end
    end
  end
  return true
end

-- Lines that stay are of the channel of the order from now on; those of other partitions follow.
local function change_channel(work, order_id, r, channel)
  if r.channel == channel then return end
  for _, line in ipairs(r.lines) do
    if line[DATED] ~= FAR then
      move_used(work, cell_at(work, line[SKU], line[LINE_SLOT]), r.channel, channel, line[QUANTITY], order_id)
    end
  end
  r.channel = channel
end

local function let_go(work, order_id, each, channel, write)
  local r = each.reservation
  give_back(work, each.given, each.field, order_id, r.channel)
  if #each.staying == 0 then
    r.state, r.lines = 'cancelled', each.given
  else
    if each.field == 'held' then
      give_back(work, each.staying, 'held', order_id)
      take(work, each.staying, 'confirmed', order_id)
    end
    r.state, r.lines = 'confirmed', each.staying
    change_channel(work, order_id, r, channel)
    table.insert(write.waiting, each.id)
  end
  r.dirty = true
  if r.parts then table.insert(write.told, each.id) end
end

-- Makes a confirmed reservation of what was tried; false if what lies here was given back.
local function make_reservation(work, entry, channel)
  local order_id, _, _, id, lines, here, partitions = unpack(entry)
  local part, crosses = part_at(work, id), #partitions > 0
  if #here > 0 then
    if not part or part.state ~= 'held' or #part.lines ~= #here then return false end
    give_back(work, part.lines, 'held', order_id)
    take(work, part.lines, 'confirmed', order_id)
  end
  mark_far(lines, here, part and part.lines)
  if part then part.state, part.lines, part.dirty = 'closed', {}, true end
  put_reservation(work, id, { state = 'confirmed', expires = 0, lines = lines, asked = '', reference = order_id,
    channel = channel, consumed = false, order_id = order_id, parts = crosses and partitions or nil,
    version = crosses and 0 or nil })
  return true
end

local function decide_over(work, run_id, entry, now, writes, done)
  local order_id, state, rows, id, lines, _, _, token, found, has_uses, too_late, revision = unpack(entry)
  if done[order_id] then return { 'committed', '', {}, '' } end
  local old_state, old_run, old_id, uses, old_rows, channel, seq, waiting, seen = unpack(redis.call('HMGET',
    key_of(work, 'order', order_id), 'state', 'run_id', 'reservation_id', 'uses', 'rows', 'channel', 'seq', 'waiting',
    'revision'))
  if old_run == run_id and old_state ~= 'cancelled' then return { 'committed', old_id, {}, '' } end
  if not old_state or not OPEN[old_state] then return { 'gone' } end
  if (tonumber(seen) or 0) ~= revision then return { 'moved', 'revised' } end
  local own = own_reservations(work, old_id, waiting, now)
  if order_has_left(own, uses) then return { 'gone' } end
  local write = { seq = seq, state = state, rows = rows, id = old_id, uses = uses, waiting = {}, told = {} }
  if #lines == 0 then
    write.waiting = waiting ~= '' and cmsgpack.unpack(waiting) or {}
    if old_rows ~= '' then write.rows = old_rows end
  else
    local is_given_up = now > too_late or redis.call('EXISTS', key_of(work, 'barred', token)) == 1
    if is_given_up or not divide_own(own, found) then return { 'again' } end
    if not make_reservation(work, entry, channel) then return { 'again' } end
    for _, each in ipairs(own) do
      if each.field then let_go(work, order_id, each, channel, write) end
    end
    write.id, write.uses, write.old_uses = id, has_uses and id or '', uses
  end
  writes[order_id] = write
  return { 'committed', write.id, write.told, write.old_uses or '' }
end

redis.register_function('allot_decide_orders_v1', function(keys, args)
  local work, now, run_id, verdicts, writes = open_work(keys[1], 'commit_orders', args), now_ms(), args[1], {}, {}
  local entries, epoch, order_ids = cmsgpack.unpack(args[2]), tonumber(args[3] or 0), {}
  local fenced = pass_fence(work, run_id, epoch)
  if fenced then return fenced end
  for i, entry in ipairs(entries) do order_ids[i] = entry[1] end
  local done = done_by(work, run_id, order_ids)
  for i, entry in ipairs(entries) do verdicts[i] = decide_over(work, run_id, entry, now, writes, done) end
  commit_work(work)
  keep_done(work, run_id, epoch, writes)
  for order_id, write in pairs(writes) do
    if write.old_uses then
      settle_uses_later(work, write.old_uses, 'drop')
      settle_uses_later(work, write.uses, 'keep')
    end
    enter_state(work, order_id, write.seq, write.state, run_id, now, 'run_id', run_id, 'rows', write.rows, 'reservation_id',
      write.id, 'uses', write.uses, 'waiting', #write.waiting > 0 and cmsgpack.pack(write.waiting) or '')
  end
  return cmsgpack.pack(verdicts)
end)
