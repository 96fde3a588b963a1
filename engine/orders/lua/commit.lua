-- Commits the allocations of a routing run, each order by itself, all in one step.
-- KEYS[1]  any key of the partition (open_orders)
-- ARGV[1]  who                     ARGV[2]  the run id                ARGV[4]  the epoch of the run, or absent, see fence.lua
-- ARGV[3]  cmsgpack {allocations, limits, today, buffers or absent}
--          allocations: a list of {order_id, state to enter, rows (JSON), reservation id to give, lines, uses, revision that the
--          order had when it was decided on}
--          lines: a list of {sku, node_id, quantity, ship_on}      uses: as in capacity.lua
--          limits: node_id → {units or -1, parcels or -1}          today: node_id → day ordinal, for every node in lines
--          buffers: as in the inventory's atp.lua
-- Returns  an error FENCED, and nothing is done; or a cmsgpack list of verdicts: {'committed'} · {'gone'} · {'moved', 'short', {sku, node_id, asked, available}} ·
--          {'moved', 'capacity', {node_id, day, what, asked, left, limit}} · {'moved', 'revised'}: nodes or people have said
--          something of the order since
-- Invariants: nothing is taken beyond ATP or the limits; an order's own reservation is given back in the step that takes
-- the new one, and kept if that fails; a run commits an order once, however often it is asked. An allocation without any
-- line leaves what the order holds, and its earlier rows, as they are. What it has reserved for a later day stays with
-- it, unless units of that SKU are shipped. One that decides nothing else than the run before notes its run, and no step.
-- Everything is decided in memory first. The orders of a batch see what those before them took.

local MANY_DUE = 1000

-- The lines of an order's own reservation that it gives back for these, and those that stay: they wait for a later day,
-- and nothing of their SKU is shipped.
local function part_own(order, lines)
  local shipped, given, staying = {}, {}, {}
  for _, line in ipairs(lines) do shipped[line[SKU]] = true end
  for _, line in ipairs(order.field and order.own.lines or {}) do
    local part = line[DATED] == 1 and not shipped[line[SKU]] and staying or given
    part[#part + 1] = line
  end
  return given, staying
end

-- Lines that stay are of the channel of the order from now on, whatever that of its reservation was.
local function change_channel(work, order, lines, order_id)
  if order.own.channel == order.channel then return end
  for _, line in ipairs(lines) do
    move_used(work, cell_at(work, line[SKU], line[LINE_SLOT]), order.own.channel, order.channel, line[QUANTITY], order_id)
  end
end

local function swap(work, order_id, order, lines, uses, limits, today)
  local own_uses = order.uses ~= '' and cmsgpack.unpack(order.uses) or {}
  local given, staying = part_own(order, lines)
  if order.field then give_back(work, given, order.field, order_id, order.own.channel) end
  count_uses(work, own_uses, -1)
  place_lines(work, lines, today)
  local short, over = short_lines(work, lines, today, order.channel, given), over_capacity(work, uses, limits)
  if #short == 0 and not over then
    take(work, lines, 'confirmed', order_id, order.channel)
    count_uses(work, uses, 1)
    if order.field then order.own.state, order.own.lines, order.own.dirty = 'cancelled', given, true end
    if #staying > 0 then change_channel(work, order, staying, order_id) end
    for _, line in ipairs(staying) do
      lines[#lines + 1], order.since = line, order.own.since
    end
    return { 'committed' }
  end
  if order.field then take(work, given, order.field, order_id, order.own.channel) end
  count_uses(work, own_uses, 1)
  if #short > 0 then return { 'moved', 'short', short[1] } end
  return { 'moved', 'capacity', over }
end

-- Whether an open order has, and has reserved, just what is decided for it now; what stays for a later day beside that.
local function is_as_before(fields, order, state, rows, lines, today)
  if fields[1] ~= state or fields[2] == '' then return false end
  if #lines == 0 then return fields[5] ~= '' end
  if fields[5] ~= rows or order.field ~= 'confirmed' or order.own.channel ~= order.channel then return false end
  local left, shipped = {}, {}
  local function place_of(line) return #line[SKU] .. ':' .. line[SKU] .. line[SHIP_ON] .. ':' .. line[NODE] end
  for _, line in ipairs(lines) do
    shipped[line[SKU]], left[place_of(line)] = true, (left[place_of(line)] or 0) + line[QUANTITY]
  end
  for _, line in ipairs(order.own.lines) do
    local is_dated, at = line[DATED] == 1, place_of(line)
    if is_dated and line[SHIP_ON] <= (today[line[NODE]] or 0) then return false end
    if shipped[line[SKU]] then left[at] = (left[at] or 0) - line[QUANTITY] elseif not is_dated then return false end
  end
  for _, units in pairs(left) do
    if units ~= 0 then return false end
  end
  return true
end

local function decide(work, run_id, allocation, limits, today, now, writes, done)
  local order_id, state, rows, reservation_id, lines, uses, revision = unpack(allocation)
  if done[order_id] then return { 'committed' } end
  local fields = redis.call('HMGET', key_of(work, 'order', order_id), 'state', 'run_id', 'reservation_id', 'uses', 'rows',
    'channel', 'seq', 'revision')
  local write = writes[order_id]
  if write or (fields[2] == run_id and fields[1] ~= 'cancelled') then return { 'committed' } end
  if not fields[1] or not OPEN[fields[1]] then return { 'gone' } end
  if (tonumber(fields[8]) or 0) ~= revision then return { 'moved', 'revised' } end
  local order = { uses = fields[4], channel = fields[6] }
  order.own, order.field = own_reservation(work, fields[3], now)
  if has_left(order.own, order.uses) then return { 'gone' } end
  if is_as_before(fields, order, state, rows, lines, today) then
    redis.call('HSET', key_of(work, 'order', order_id), 'run_id', run_id)
    return { 'committed' }
  end
  write = { seq = fields[7], state = state, rows = rows, reservation_id = reservation_id, uses = order.uses }
  if #lines == 0 then
    write.reservation_id = fields[3]
    if fields[5] ~= '' then write.rows = fields[5] end
  else
    local verdict = swap(work, order_id, order, lines, uses, limits, today)
    if verdict[1] ~= 'committed' then return verdict end
    write.uses = cmsgpack.pack(uses)
    put_reservation(work, reservation_id, { state = 'confirmed', expires = 0, lines = lines, asked = '', reference = order_id,
      channel = fields[6], consumed = false, order_id = order_id, since = order.since })
  end
  writes[order_id] = write
  return { 'committed' }
end

redis.register_function('allot_commit_orders_v1', function(keys, args)
  local work, now, run_id, epoch = open_work(keys[1], 'commit_orders', args), now_ms(), args[1], tonumber(args[3] or 0)
  local allocations, limits, today, buffers = unpack(cmsgpack.unpack(args[2]))
  local fenced, order_ids = pass_fence(work, run_id, epoch), {}
  if fenced then return fenced end
  for i, allocation in ipairs(allocations) do order_ids[i] = allocation[1] end
  local done = done_by(work, run_id, order_ids)
  keep_back(work, buffers)
  local verdicts, writes = {}, {}
  expire_due(work, now, MANY_DUE)
  for i, allocation in ipairs(allocations) do
    verdicts[i] = decide(work, run_id, allocation, limits, today, now, writes, done)
  end
  commit_work(work)
  write_capacity(work)
  keep_done(work, run_id, epoch, writes)
  for order_id, write in pairs(writes) do
    enter_state(work, order_id, write.seq, write.state, run_id, now, 'run_id', run_id, 'rows', write.rows,
      'reservation_id', write.reservation_id, 'uses', write.uses)
  end
  return cmsgpack.pack(verdicts)
end)
