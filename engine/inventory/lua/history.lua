-- Reads what happened to one position, newest first, along the chain of its rows in the journal.
-- KEYS[1]  any key of the partition (deadlines)
-- ARGV[1]  the SKU     ARGV[2]  the node_id     ARGV[3]  start after this event, or ''      ARGV[4]  at most how many rows
-- Returns  {cmsgpack {rows, whether there are more, whether older ones were dropped from the journal}, cells}; a row is
--          {event, ms, act, who, whys, moves}; cells are those of the rows, before and after (journal.lua)
-- Invariant: nothing is written.

local NOTHING = { 0, '', '', {} }

local function row_of(entry, sku, slot)
  for place, row in ipairs(entry[4]) do
    if row[1] == sku and row[2] == slot then return row, place end
  end
end

redis.register_function({ function_name = 'allot_position_history_v1', flags = { 'no-writes' }, callback = function(keys, args)
  local work, sku, rows, cells = open_work(keys[1]), args[1], {}, {}
  local slot, epoch = slot_of(work, args[2]), tonumber(redis.call('GET', key_of(work, 'stock_epoch')) or 0)
  local number = slot and cell_at(work, sku, slot).event or 0
  local event = number > 0 and event_before(epoch, number) or 0
  local after, is_cut_off = tonumber(args[3]) or 0, false
  if after > 0 then event = after end
  while event > 0 and #rows < tonumber(args[4]) do
    local id = string.format('0-%.0f', event)
    local found = redis.call('XRANGE', key_of(work, 'journal'), id, id)[1]
    local entry = found and cmsgpack.unpack(found[2][2])
    local row, place = row_of(entry or NOTHING, sku, slot)
    if not row then event, is_cut_off = 0, true; break end
    local before_and_after = string.sub(found[2][4], place * 64 - 63, place * 64)
    if event ~= after then
      rows[#rows + 1] = { event, entry[1], entry[2], entry[3], row[3], row[4] }
      cells[#cells + 1] = before_and_after
    end
    number = struct.unpack('>I4', string.sub(before_and_after, 25, 28))
    event = number > 0 and event_before(event, number) or 0
  end
  return { cmsgpack.pack({ rows, event > 0, is_cut_off }), table.concat(cells) }
end })
