-- Reads the open holds of all holders as they are counted, and who holds what was changed since an event, all at one moment.
-- KEYS[1]  any key of the partition (deadlines)     ARGV[1]  the event     ARGV[2]  at most how many events since
-- Returns  cmsgpack {counts as HGETALL has them, how often they were repaired, list of {act, whether it names any
--          reservation}, list of {name, holder or ''}}, of which names that are no reservation have no holder; {} if there
--          are more events, or larger ones: of one event at least all is read
-- Invariant: nothing is written.

-- Calls `see` with each word that may be the id of a reservation: a why, and what stands behind its first word.
local function each_name(entry, see)
  for id in pairs(type(entry[3]) == 'table' and entry[3] or NONE) do see(id) end
  for _, row in ipairs(entry[4]) do
    for _, why in ipairs(type(row[3]) == 'table' and row[3] or { row[3] }) do
      see(why)
      see(string.match(why, '^%S* (.*)$') or '')
    end
  end
end

local EVENTS_AT_ONCE, MOST_EVENT_BYTES = 8, 524288  -- some 50 ms in which the store serves nobody else

-- Returns nil if there are too many; entries of batches have megabytes, so they are counted on the way.
local function events_since(work, event, most)
  local found, bytes, from = {}, 0, '(0-' .. event
  while true do
    local page = redis.call('XRANGE', key_of(work, 'journal'), from, '+', 'COUNT', EVENTS_AT_ONCE)
    for _, entry in ipairs(page) do
      found[#found + 1], bytes, from = entry, bytes + #entry[2][2] + #entry[2][4], '(' .. entry[1]
    end
    if #found > most or (#found > 1 and bytes > MOST_EVENT_BYTES) then return nil end
    if #page < EVENTS_AT_ONCE then return found end
  end
end

redis.register_function({ function_name = 'allot_recount_open_holds_v1', flags = { 'no-writes' }, callback = function(keys, args)
  local work, most, acts, names, known = open_work(keys[1]), tonumber(args[2]), {}, {}, {}
  local found = events_since(work, args[1], most)
  if not found then return cmsgpack.pack({}) end
  for i, event in ipairs(found) do
    local entry = cmsgpack.unpack(event[2][2])
    acts[i] = { entry[2], #entry[4] > 0 }
    each_name(entry, function(name)
      if known[name] or name == '' then return end
      local record = redis.call('GET', key_of(work, 'reservation', name))
      local kept = record and reservation_of(work, record)
      known[name], names[#names + 1] = true, { name, kept and kept.state == 'held' and kept.holder or '' }
    end)
  end
  return cmsgpack.pack({ redis.call('HGETALL', key_of(work, 'open_holds')),
    tonumber(redis.call('GET', key_of(work, 'open_holds_repairs')) or 0), acts, names })
end })
