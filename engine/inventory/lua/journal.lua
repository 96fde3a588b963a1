-- The event journal: one entry for each call that changes stock or reservations, in the step that changes them. Include
-- after cells.lua.
--
-- journal  stream; the id of event n is 0-n, the n-th since the first, equal to stock_epoch after it.
--          Field e: cmsgpack {ms, act, who (or who by reservation), rows}, of which a row is {sku, slot, why (a
--          reservation, order or reason, or a list of them in order), list of {day, supply_id, delta before, delta
--          after}}; day 0 stands for units that cannot be sold, by their condition (conditions.lua).
--          Field c: the cells of each row, before and after, 32 bytes each.
-- journal_rows  how many rows were ever written, one for an entry without any       journal_marks  list of the events at
--          which each MARK_ROWS more were; the journal goes back to the first of at most MARKS, so its memory is bounded
-- A cell keeps the number of its last event (from 1 to MAX_UNITS, round and round), so that the rows of a cell are a
-- chain: each row's cell before names the event before.
-- because(cell, why)        says why a cell is changed
-- write_journal(work, dirty, now)  writes the entry of a list of cells, each of which gets its new packed string in `after`,
-- and leaves its number in work.last_event
-- event_before(epoch, number)  the event that a cell's number stands for
-- Invariant: no cell changes without its row; events are numbered without a gap.

local MARK_ROWS, MARKS = 10000, 100
local NONE = {}

local function event_number(epoch) return (epoch - 1) % MAX_UNITS + 1 end

local function event_before(epoch, number) return epoch - (event_number(epoch) - number) % MAX_UNITS end

local function because(cell, why)
  local whys = cell.whys
  if not whys then cell.whys = why  -- a list from the second on: most cells have one
  elseif type(whys) == 'string' then
    if whys ~= why then cell.whys = { whys, why } end
  elseif whys[#whys] ~= why then whys[#whys + 1] = why end
end

local function journal_rows(dirty, number)
  local rows, cells = {}, {}
  for i = 1, #dirty do
    local c = dirty[i]
    local after = struct.pack(CELL_FORMAT, c.on_hand, c.safety_stock, c.held, c.confirmed, c.version, c.scheduled, number, c.quotas)
    rows[i] = { c.sku, c.slot, c.whys or '', c.moves or NONE }
    cells[2 * i - 1], cells[2 * i] = c.before, after
    c.event, c.after = number, after
  end
  return rows, table.concat(cells)
end

local function cut_off_journal(work, epoch, added)
  local rows = redis.call('INCRBY', key_of(work, 'journal_rows'), added)
  local marks = key_of(work, 'journal_marks')
  for _ = math.floor((rows - added) / MARK_ROWS) + 1, math.floor(rows / MARK_ROWS) do
    if redis.call('RPUSH', marks, string.format('0-%.0f', epoch)) > MARKS then
      redis.call('XTRIM', key_of(work, 'journal'), 'MINID', redis.call('LPOP', marks))
    end
  end
end

-- Returns the error if the event cannot stand behind the last one.
local function append_event(work, dirty, now, epoch)
  local rows, cells = journal_rows(dirty, event_number(epoch))
  local written = redis.pcall('XADD', key_of(work, 'journal'), string.format('0-%.0f', epoch),
    'e', cmsgpack.pack({ now, work.act, work.who, rows }), 'c', cells)
  if type(written) == 'table' and written.err then return written.err end
  cut_off_journal(work, epoch, math.max(1, #rows))
end

local function write_journal(work, dirty, now)
  local epoch = redis.call('INCR', key_of(work, 'stock_epoch'))
  local failed = append_event(work, dirty, now, epoch)
  if failed then  -- somebody removed stock_epoch: go on behind the last event
    local last = redis.call('XREVRANGE', key_of(work, 'journal'), '+', '-', 'COUNT', 1)[1]
    if not last then error(failed) end
    epoch = tonumber(string.match(last[1], '-(%d+)$')) + 1
    redis.call('SET', key_of(work, 'stock_epoch'), string.format('%.0f', epoch))
    failed = append_event(work, dirty, now, epoch)
    if failed then error(failed) end
  end
  work.last_event = epoch
end
