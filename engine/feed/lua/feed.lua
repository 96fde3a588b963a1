-- Reads on in what happened in one partition: the journal of stock, and the events of all else, at one instant.
--
-- journal  stream of what happened to stock, see engine/inventory/lua/journal.lua; the id of event n is 0-n
-- events   stream of what happened to reservations, orders, documents, routing runs, low stock and webhooks, written in the
--          step that does it. The id of entry n is 0-n, without a gap. Field e: cmsgpack {ms, kind, act, who, rows}; the rows
--          by kind: reservation {id, state, deadline (ms), reference, channel, order_id} (only the first three if it is new)
--          · order {id, state, run id, or a blank and a note (JSON)} · document {name, version} · customer {id, what} · routing_run {id, status}
--          · low_stock {sku, node_id, low or recovered, available, threshold or false} · webhook {id, what, why}
--          About 500,000 entries are kept, each of at most 10 rows.
-- KEYS[1]  journal        KEYS[2]  events
-- ARGV[1]  the last event of the journal that was read, or '' for the oldest that is kept, or 'now'   ARGV[2]  as much of events
-- ARGV[3]  at most so many entries of each    ARGV[4]  no more of them after so many bytes
-- Returns  for each stream {the event to read after, 1 if events after it are no longer kept, 1 if there are more, entries
--          {n, field e, field c or ''}}
-- Invariant: nothing is written; what is returned of both streams is all that happened up to one instant, or a beginning.

local AT_ONCE = 16

local function number_of(id) return tonumber(string.match(id, '-(%d+)$')) end

local function begin_after(key, after)
  if after ~= '' and after ~= 'now' then return tonumber(after) end
  local found = after == '' and redis.call('XRANGE', key, '-', '+', 'COUNT', 1) or redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)
  if not found[1] then return 0 end
  return number_of(found[1][1]) - (after == '' and 1 or 0)
end

local function read_on(key, after, most, most_bytes)
  local begin, entries, size, has_more = begin_after(key, after), {}, 0, after ~= 'now'
  local at = begin
  while has_more and #entries < most and size < most_bytes do
    local found = redis.call('XRANGE', key, string.format('(0-%.0f', at), '+', 'COUNT', math.min(AT_ONCE, most - #entries))
    has_more = #found == math.min(AT_ONCE, most - #entries)
    for i, entry in ipairs(found) do
      if size >= most_bytes then has_more = true; break end
      local n, fields = number_of(entry[1]), entry[2]
      entries[#entries + 1], at = { n, fields[2], fields[4] or '' }, n
      size = size + #fields[2] + #(fields[4] or '')
    end
  end
  local is_gone = entries[1] and entries[1][1] > begin + 1 or (begin > 0 and not entries[1] and redis.call('EXISTS', key) == 0)
  return { begin, is_gone and 1 or 0, has_more and 1 or 0, entries }
end

redis.register_function({ function_name = 'allot_read_feed_v1', flags = { 'no-writes' }, callback = function(keys, args)
  local most, most_bytes = tonumber(args[3]), tonumber(args[4])
  return { read_on(keys[1], args[1], most, most_bytes), read_on(keys[2], args[2], most, most_bytes) }
end })

-- Tells of a webhook.
-- KEYS[1]  any key of the first partition    ARGV[1]  its id    ARGV[2]  what    ARGV[3]  why    Returns  1
redis.register_function('allot_tell_webhook_v1', function(keys, args)
  local time = redis.call('TIME')
  redis.call('XADD', string.match(keys[1], '^{[^}]*}') .. ':events', 'MAXLEN', '~', 500000, '0-*', 'e', cmsgpack.pack({
    time[1] * 1000 + math.floor(time[2] / 1000), 'webhook', '', '', { { args[1], args[2], args[3] } } }))
  return 1
end)
