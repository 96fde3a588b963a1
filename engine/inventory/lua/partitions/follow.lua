-- Brings the part of a reservation to what its home says, and on request takes lines of it off on_hand before the home has
-- decided on that.
-- KEYS[1]  any key of the partition (deadlines)
-- ARGV[1]  who      ARGV[2]  the act      ARGV[3]  the reservation id
-- ARGV[4]  cmsgpack {truth, lines to try to consume, patience in ms}; truth: {state, version, deadline in ms, lines of here that
--          are left, lines of here that were consumed, token, channel or ''}; state gone: the home knows nothing of the attempt `token`
-- Returns  cmsgpack {'done', lines that are left, as rows} · {'busy'} another consumption is tried · {'not_on_hand', list of {sku, node_id, asked, on_hand}} ·
--          {'lost'} there is no such part
-- Invariant: what the home said later wins, whatever order calls come in; the same again changes nothing.

local STATE, VERSION_OF, DEADLINE, LEFT, EATEN, TOKEN, CHANNEL_OF = 1, 2, 3, 4, 5, 6, 7

-- The units of `lines` beyond those of `others`, summed per place.
local function beyond(lines, others)
  local units, order = {}, {}
  for _, line in ipairs(lines) do
    local place = place_of(line)
    if not units[place] then
      units[place] = 0
      order[#order + 1] = line
    end
    units[place] = units[place] + line[QUANTITY]
  end
  for _, line in ipairs(others) do
    local place = place_of(line)
    if units[place] then units[place] = units[place] - line[QUANTITY] end
  end
  local found = {}
  for _, line in ipairs(order) do
    local left = units[place_of(line)]
    if left > 0 then found[#found + 1] = { line[SKU], line[NODE], left, line[SHIP_ON], 0, 0, line[PEG] } end
  end
  return found
end

local function settle_tried(work, id, part, truth)
  local lines = part.tried
  part.tried = nil
  if #beyond(lines, beyond(truth[EATEN], part.eaten)) == 0 then
    for _, line in ipairs(lines) do table.insert(part.eaten, line) end
    return
  end
  take(work, lines, 'confirmed', id, part.channel)
  for _, line in ipairs(lines) do
    local cell = cell_at(work, line[SKU], line[LINE_SLOT])
    if not is_unlimited(cell) then
      add(cell, 'on_hand', line[QUANTITY])
      add(cell, 'version', 1)
    end
    table.insert(part.lines, line)
  end
end

-- Takes lines off on_hand; returns those that left, or nil and where there is less.
local function leave_part(work, id, part, wanted)
  local taken_out, stay = split_lines(part, wanted)
  local not_on_hand = leave_node(work, taken_out, id, part.channel)
  if #not_on_hand > 0 then return nil, not_on_hand end
  part.lines = stay
  return taken_out
end

local function give_up(work, id, part, truth)
  if part.state ~= 'held' or part.token ~= truth[TOKEN] then return end
  give_back(work, part.lines, 'held', id, part.channel)
  part.state, part.lines, part.dirty = 'closed', {}, true
end

-- An order may take a reservation over for a channel of its own.
local function change_channel(work, id, part, channel)
  if channel == '' or channel == part.channel then return end
  for _, line in ipairs(part.lines) do
    move_used(work, cell_at(work, line[SKU], line[LINE_SLOT]), part.channel, channel, line[QUANTITY], id)
  end
  part.channel = channel
end

-- Returns where on_hand is less than what the home says has left; then nothing may be written.
local function follow(work, id, part, truth, now)
  if truth[STATE] == 'gone' then return give_up(work, id, part, truth) end
  local is_open = FIELD_OF[truth[STATE]]
  if truth[VERSION_OF] > part.version then
    if part.tried then settle_tried(work, id, part, truth) end
    local eaten = beyond(truth[EATEN], part.eaten)
    if part.state == 'held' and (truth[STATE] == 'confirmed' or #eaten > 0) then
      give_back(work, part.lines, 'held', id)
      take(work, part.lines, 'confirmed', id)
      part.state = 'confirmed'
    end
    if #eaten > 0 then
      local left, not_on_hand = leave_part(work, id, part, eaten)
      if not left then return not_on_hand end
      for _, line in ipairs(left) do table.insert(part.eaten, line) end
    end
    local over = beyond(part.lines, is_open and truth[LEFT] or {})
    if #over > 0 then
      local taken_out, stay = split_lines(part, over)
      give_back(work, taken_out, FIELD_OF[part.state], truth[STATE] == 'expired' and 'expired ' .. id or id, part.channel)
      part.lines = stay
    end
    change_channel(work, id, part, truth[CHANNEL_OF])
    part.version, part.dirty = truth[VERSION_OF], true
    if #part.lines == 0 and part.state ~= 'closed' then part.state = 'closed' end
  end
  local due = math.max(truth[DEADLINE], now + 10)
  if part.state == 'held' and part.due ~= due then part.due, part.dirty = due, true end
end

redis.register_function('allot_follow_v1', function(keys, args)
  local act = table.remove(args, 2)
  local work, id, now = open_work(keys[1], act, args), args[1], now_ms()
  local truth, leaving, patience = unpack(cmsgpack.unpack(args[2]))
  local part = part_at(work, id)
  if not part then
    if truth[STATE] ~= 'gone' then return cmsgpack.pack({ #truth[LEFT] > 0 and 'lost' or 'done' }) end
    -- The hold of this part may still be on its way.
    put_part(work, id, { state = 'closed', home = 0, token = truth[TOKEN], version = 0, lines = {}, eaten = {}, asked = '',
      due = 0, patience = 0 })
    commit_work(work)
    return cmsgpack.pack({ 'done' })
  end
  local not_on_hand = follow(work, id, part, truth, now)
  if not_on_hand then return cmsgpack.pack({ 'not_on_hand', not_on_hand }) end
  if #leaving > 0 then
    if part.tried or part.version ~= truth[VERSION_OF] or part.state ~= 'confirmed' then
      return cmsgpack.pack({ 'busy' })
    end
    local left, short = leave_part(work, id, part, leaving)
    if not left then return cmsgpack.pack({ 'not_on_hand', short }) end
    part.tried, part.due, part.dirty = left, now + patience, true
  end
  commit_work(work)
  return cmsgpack.pack({ 'done', rows_of(part.lines) })
end)
