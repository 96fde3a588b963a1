-- Windows that are booked, by reservation; and how many of each are.
--
-- KEYS[1] of each function: any key of the tenant and partition; all names are made from its {tenant:partition}.
-- slot_booking:<reservation id>  cmsgpack {slot, day ordinal, state, deadline in ms, settled, order ids, what was booked}
-- slot_taken:<day ordinal>       hash: slot → how many bookings take a place; gone a few days after the day
-- slot_due   sorted set: the ids that go back by themselves, by when      slot_look  the ids to be looked at, by when
-- States: held (goes back at its deadline), kept (stays until it is judged), final (stays), gone, lost (never to be taken).
-- Invariants: the numbers of a day are those of the bookings that are held, kept or final. A place is only taken while
-- there are fewer than the capacity. Settled, gone once settled, and lost are for ever; kept is never held again.

local SLOT, DAY, STATE, DEADLINE, SETTLED, ORDERS, BOOKED = 1, 2, 3, 4, 5, 6, 7
local EPOCH, DAYS_KEPT, RECORD_DAYS, OVER_MS, MANY_DUE, MOST_ORDERS = 719163, 4, 40, 25 * 3600 * 1000, 1000, 32
local TAKES = { held = true, kept = true, final = true }

local function key_of(key, word, id) return string.match(key, '^{[^}]*}') .. ':' .. word .. (id and ':' .. id or '') end

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function day_key(key, day) return key_of(key, 'slot_taken', string.format('%d', day)) end

local function read(key, id)
  local packed = redis.call('GET', key_of(key, 'slot_booking', id))
  return packed and cmsgpack.unpack(packed) or nil
end

-- Writes a booking. What takes a place is kept until long after its day, the rest for a day, while keys come back.
local function write(key, id, booking, now)
  local over = now + OVER_MS
  local until_ms = TAKES[booking[STATE]] and math.max(over, (booking[DAY] - EPOCH + RECORD_DAYS) * 86400000) or over
  redis.call('SET', key_of(key, 'slot_booking', id), cmsgpack.pack(booking), 'PXAT', string.format('%.0f', until_ms))
  if booking[STATE] == 'held' then
    redis.call('ZADD', key_of(key, 'slot_due'), booking[DEADLINE], id)
  else
    redis.call('ZREM', key_of(key, 'slot_due'), id)
  end
end

local function count(key, booking, by)
  local of_day = day_key(key, booking[DAY])
  if redis.call('HINCRBY', of_day, booking[SLOT], by) <= 0 then redis.call('HDEL', of_day, booking[SLOT]) end
  redis.call('EXPIREAT', of_day, (booking[DAY] - EPOCH + DAYS_KEPT) * 86400)
end

local function free(key, id, booking, now, state)
  if TAKES[booking[STATE]] then count(key, booking, -1) end
  booking[STATE] = state
  write(key, id, booking, now)
  redis.call('ZREM', key_of(key, 'slot_look'), id)
end

-- Gives back what is due by itself.
local function expire_due(key, now)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key_of(key, 'slot_due'), '-inf', now, 'LIMIT', 0, MANY_DUE)) do
    local booking = read(key, id)
    if booking then free(key, id, booking, now, 'gone') else redis.call('ZREM', key_of(key, 'slot_due'), id) end
  end
end

-- The booking of a reservation, as it is now: one that is due is gone, though it may still be counted.
local function booking_at(key, id, now)
  local booking = read(key, id)
  if booking and booking[STATE] == 'held' and booking[DEADLINE] <= now then free(key, id, booking, now, 'gone') end
  return booking
end

local function has_room(key, booking, capacity)
  return tonumber(redis.call('HGET', day_key(key, booking[DAY]), booking[SLOT]) or '0') < capacity
end

local function look_at(key, id, at) redis.call('ZADD', key_of(key, 'slot_look'), at, id) end

-- Takes a place for a reservation that is about to be made.
-- ARGV[1]  the reservation id     ARGV[2]  slot      ARGV[3]  day ordinal     ARGV[4]  capacity
-- ARGV[5]  for how many ms        ARGV[6]  what is booked, kept as it is
-- Returns  taken · settled · full · lost
redis.register_function('allot_take_slot_v1', function(keys, args)
  local key, id, now, ttl = keys[1], args[1], now_ms(), tonumber(args[5])
  expire_due(key, now)
  local booking = booking_at(key, id, now)
  if booking and booking[SETTLED] then return 'settled' end
  if booking and booking[STATE] == 'lost' then return 'lost' end
  if booking and TAKES[booking[STATE]] then
    if booking[STATE] == 'held' then
      booking[DEADLINE] = math.max(booking[DEADLINE], now + ttl)
      write(key, id, booking, now)
    end
    return 'taken'
  end
  booking = { args[2], tonumber(args[3]), 'held', now + ttl, false, {}, args[6] }
  if not has_room(key, booking, tonumber(args[4])) then return 'full' end
  count(key, booking, 1)
  write(key, id, booking, now)
  look_at(key, id, now + ttl)
  return 'taken'
end)

-- Gives a booking the deadline of its reservation, once; one that has gone back is taken again, or else lost for ever.
-- ARGV[1]  the reservation id     ARGV[2]  the deadline in ms     ARGV[3]  capacity
redis.register_function('allot_settle_slot_v1', function(keys, args)
  local key, id, deadline, now = keys[1], args[1], tonumber(args[2]), now_ms()
  expire_due(key, now)
  local booking = booking_at(key, id, now)
  if not booking then return 0 end
  if booking[SETTLED] then return 1 end
  if booking[STATE] == 'lost' then return 0 end
  if booking[STATE] == 'gone' then
    if not has_room(key, booking, tonumber(args[3])) then
      free(key, id, booking, now, 'lost')
      return 0
    end
    count(key, booking, 1)
    booking[STATE] = 'held'
  end
  booking[SETTLED], booking[DEADLINE] = true, deadline
  write(key, id, booking, now)
  look_at(key, id, deadline)
  return 1
end)

-- Has a booking last for so many ms at least.
-- ARGV[1]  the reservation id     ARGV[2]  ms
redis.register_function('allot_prolong_slot_v1', function(keys, args)
  local key, id, now = keys[1], args[1], now_ms()
  local booking = booking_at(key, id, now)
  if not booking or not TAKES[booking[STATE]] then return 0 end
  if booking[STATE] == 'held' then
    booking[DEADLINE] = math.max(booking[DEADLINE], now + tonumber(args[2]))
    write(key, id, booking, now)
    look_at(key, id, now)
  end
  return 1
end)

-- Has a booking stay until it is judged.
-- ARGV[1]  the reservation id     ARGV[2]  an order that may take it over, or ''     ARGV[3]  ms until it is looked at
redis.register_function('allot_keep_slot_v1', function(keys, args)
  local key, id, order_id, now = keys[1], args[1], args[2], now_ms()
  local booking = booking_at(key, id, now)
  if not booking or not TAKES[booking[STATE]] then return 0 end
  local known = order_id == '' or #booking[ORDERS] >= MOST_ORDERS
  for _, other in ipairs(booking[ORDERS]) do known = known or other == order_id end
  if not known then table.insert(booking[ORDERS], order_id) end
  if booking[STATE] == 'held' then booking[STATE] = 'kept' end
  write(key, id, booking, now)
  if booking[STATE] == 'kept' or not known then look_at(key, id, now + tonumber(args[3])) end
  return 1
end)

-- Does what a look at the reservation, or at its order, has said.
-- ARGV[1]  the reservation id     ARGV[2]  keep · final · gone · look     ARGV[3]  ms until it is looked at again
redis.register_function('allot_judge_slot_v1', function(keys, args)
  local key, id, verdict, now = keys[1], args[1], args[2], now_ms()
  local booking = booking_at(key, id, now)
  if not booking or not TAKES[booking[STATE]] then
    redis.call('ZREM', key_of(key, 'slot_look'), id)
    return 0
  end
  if verdict == 'gone' then
    free(key, id, booking, now, 'gone')
  elseif verdict == 'final' then
    booking[STATE] = 'final'
    write(key, id, booking, now)
    redis.call('ZREM', key_of(key, 'slot_look'), id)
  else
    if verdict == 'keep' and booking[STATE] == 'held' then
      booking[STATE] = 'kept'
      write(key, id, booking, now)
    end
    if booking[STATE] ~= 'final' then look_at(key, id, now + tonumber(args[3])) end
  end
  return 1
end)

-- Returns the ids to be looked at, the longest due first.
-- ARGV[1]  at most how many
redis.register_function('allot_due_slots_v1', function(keys, args)
  local key, now = keys[1], now_ms()
  expire_due(key, now)
  return redis.call('ZRANGEBYSCORE', key_of(key, 'slot_look'), '-inf', now, 'LIMIT', 0, args[1])
end)

-- Returns {takes a place or not, settled or not, order ids, what was booked}; nothing if there is no booking.
-- ARGV[1]  the reservation id
redis.register_function('allot_find_slot_v1', function(keys, args)
  local booking = booking_at(keys[1], args[1], now_ms())
  if not booking then return false end
  return { TAKES[booking[STATE]] and 1 or 0, booking[SETTLED] and 1 or 0, booking[ORDERS], booking[BOOKED] }
end)

-- Returns, for each day, how many places of each slot are taken.
-- ARGV[1]  cmsgpack a list of {day ordinal, list of slots}
redis.register_function('allot_taken_slots_v1', function(keys, args)
  local key, found = keys[1], {}
  expire_due(key, now_ms())
  for i, asked in ipairs(cmsgpack.unpack(args[1])) do
    local of_day, numbers = day_key(key, asked[1]), {}
    if redis.call('EXISTS', of_day) == 1 then
      for from = 1, #asked[2], 500 do
        local some = redis.call('HMGET', of_day, unpack(asked[2], from, math.min(from + 499, #asked[2])))
        for _, number in ipairs(some) do numbers[#numbers + 1] = tonumber(number or '0') end
      end
    end
    found[i] = numbers
  end
  return cmsgpack.pack(found)
end)
