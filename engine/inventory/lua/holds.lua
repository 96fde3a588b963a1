-- Many holds as one message brings them: as columns, of which the plain ones need no table each. Include after holding.lua.
--
-- A message is cmsgpack {ids, milliseconds to live, plain, last lines, places, units, SKUs, node ids, today by node_id,
-- buffers as in atp.lua or false, holders or false, how many each may keep open or false, the epoch of the documents that
-- all this was made from or false}, and by hold, in order, what the record of its reservation keeps (reservations.lua).
--   last lines      hold i has the lines from behind that of the hold before to last_lines[i]
--   places, units   of each line; a place names one of SKUs and node ids, in which each place stands once
--   plain           1 where no line names a supply or ships after its node's today, else 0
-- holds_of(work, message, kept)  reads a message; gives back what is due, so that the holds find it; stops with the error
-- DOCUMENTSMOVED if the documents are of another epoch
-- try_nth(work, holds, i, now)   the deadline of the i-th in milliseconds if it is held, else what try_hold returns
-- reply_of(work, holds, i, verdict, is_kept)  what try_nth returned as a reply (replies.lua); one that is kept for an
-- idempotency record says all of the reservation
-- without_collecting(work_of_call, key, args)
-- Invariant: no cell's ATP goes below zero by a hold.

local MANY_DUE = 1000
local GARBAGE_KB = 4096
local live_kb = 0

local function cells_of(work, skus, node_ids)
  local cells = {}
  for place = 1, #skus do
    local slot = slot_of(work, node_ids[place])
    cells[place] = slot and cell_at(work, skus[place], slot) or false
  end
  return cells
end

local function holds_of(work, message, kept, now)
  local h = { kept = kept }
  h.ids, h.ttls_ms, h.plain, h.last_lines, h.places, h.units, h.skus, h.node_ids, h.today, h.buffers, h.holders, h.most,
    h.as_of = unpack(cmsgpack.unpack(message))
  if h.as_of and tonumber(redis.call('GET', key_of(work, 'document_epoch')) or 0) ~= h.as_of then
    error({ err = 'DOCUMENTSMOVED the network or the catalog is another than believed' })
  end
  keep_back(work, h.buffers or nil)
  expire_due(work, now, MANY_DUE)
  look_up(work, h.ids)
  h.cells = cells_of(work, h.skus, h.node_ids)
  return h
end

local function hold_plain(work, holds, i, now)
  local id, holder = holds.ids[i], holds.holders and holds.holders[i]
  if holds.plain[i] == 0 or work.reservations[id] then return nil end
  if holder and open_of(work, holder) >= holds.most[i] then return nil end
  local first, last = (holds.last_lines[i - 1] or 0) + 1, holds.last_lines[i]
  if not hold_at_once(holds.cells, holds.places, holds.units, first, last, id) then return nil end
  if holder then count_on(work, holder) end
  local expires = now + holds.ttls_ms[i]
  put_record(work, id, expires, holds.kept[i])
  return expires
end

local function hold_of(holds, i)
  local lines, asked, reference, channel, promised_on, others = unpack(cmsgpack.unpack(holds.kept[i]))
  return { holds.ids[i], holds.ttls_ms[i], lines, asked, reference, channel, promised_on, holds.holders and holds.holders[i] or nil,
    holds.most and holds.most[i] or nil, others and others.promised or nil }
end

local function try_nth(work, holds, i, now)
  return hold_plain(work, holds, i, now) or try_hold(work, hold_of(holds, i), holds.today, now)
end

local function reply_of(work, holds, i, verdict, is_kept)
  local id, is_plain = holds.ids[i], type(verdict) == 'number'
  if not is_kept then return cmsgpack.pack(is_plain and { 'held', verdict } or verdict) end
  if is_plain then return '\148' .. cmsgpack.pack('kept', id, verdict) .. holds.kept[i] end  -- a list of four
  return verdict[1] == 'held' and reservation_reply(id, work.reservations[id]) or cmsgpack.pack(verdict)
end

-- A call with many holds makes thousands of tables that live until its end, and looking for garbage among them takes a
-- quarter of it. So it is collected then, when there is much.
local function without_collecting(work_of_call, key, args)
  collectgarbage('stop')
  local done, reply = pcall(work_of_call, key, args)
  collectgarbage('restart')
  if collectgarbage('count') > live_kb + GARBAGE_KB then
    collectgarbage()
    live_kb = collectgarbage('count')
  end
  if not done then error(reply) end
  return reply
end
