-- Which positions are low on stock, and every time one becomes low or recovers; told by a reader of the journal.
--
-- low_stock          sorted set: "<sku>\n<node_id>" of each position that is low, by the number of the event that said so
-- low_stock_details  hash of the same: cmsgpack {threshold, milliseconds}
-- low_stock_seq      the number of the last event
-- low_stock_events   stream; event n has the id 0-n and the field e: cmsgpack {state, sku, node_id, available, threshold or
--                    false, milliseconds, journal event}; about LOW_STOCK_EVENTS are kept
-- low_stock_cursor   up to which journal event, and under which documents, the reader has read. Where there are several
--                    partitions, all this lies in the first one, with a cursor for the journal of each other one
--
-- KEYS[1]  any key of the partition (deadlines)     KEYS[2]  the cursor
-- ARGV[1]  the cursor as the reader found it, or ''     ARGV[2]  the cursor from now on
-- ARGV[3]  cmsgpack list of {sku, node_id, available, threshold or false, milliseconds, journal event}, oldest first
-- Returns  1 · 0 if somebody else has moved the cursor, and then nothing was done
-- Invariant: what is read moves the cursor in the step that writes what came of it, and a position changes its state when
-- an event says so, so each crossing is one event, however often and by however many readers it is read.

local LOW_STOCK_EVENTS = 100000

local function take_reading(work, sku, node_id, available, threshold, now, event)
  local place, low = sku .. '\n' .. node_id, key_of(work, 'low_stock')
  local is_low = threshold and available <= threshold
  local was_low = redis.call('ZSCORE', low, place)
  if (is_low and was_low) or not (is_low or was_low) then return end
  local number = redis.call('INCR', key_of(work, 'low_stock_seq'))
  if is_low then
    redis.call('ZADD', low, number, place)
    redis.call('HSET', key_of(work, 'low_stock_details'), place, cmsgpack.pack({ threshold, now }))
  else
    redis.call('ZREM', low, place)
    redis.call('HDEL', key_of(work, 'low_stock_details'), place)
  end
  redis.call('XADD', key_of(work, 'low_stock_events'), 'MAXLEN', '~', LOW_STOCK_EVENTS, string.format('0-%.0f', number),
    'e', cmsgpack.pack({ is_low and 'low' or 'recovered', sku, node_id, available, threshold, now, event }))
  redis.call('XADD', key_of(work, 'events'), 'MAXLEN', '~', 500000, '0-*', 'e', cmsgpack.pack({ now, 'low_stock', '', '',
    { { sku, node_id, is_low and 'low' or 'recovered', available, threshold } } }))
end

redis.register_function('allot_watch_low_stock_v1', function(keys, args)
  local work, cursor = open_work(keys[1]), keys[2]
  if (redis.call('GET', cursor) or '') ~= args[1] then return 0 end
  for _, reading in ipairs(cmsgpack.unpack(args[3])) do take_reading(work, unpack(reading)) end
  redis.call('SET', cursor, args[2])
  return 1
end)
