-- Tells a reservation at home here the days of its lines that are pegged to supplies of another partition, after these came
-- or were re-dated there.
-- KEYS[1]  any key of the partition (deadlines)
-- ARGV[1]  the reservation id     ARGV[2]  cmsgpack list of {sku, node_id, quantity, ship_on, supply_id}, as the part has them
-- Returns  1, or 0 if the reservation has other units
-- Invariant: units and version stay: the day of such a line is decided where its supply is.

local function by_place(rows)
  local found = {}
  for _, row in ipairs(rows) do
    if row[5] then
      local line = { row[1], row[2], row[3], row[4], -1, FAR, row[5] }
      local place = place_of(line)
      found[place] = found[place] or {}
      table.insert(found[place], line)
    end
  end
  return found
end

redis.register_function('allot_redate_v1', function(keys, args)
  local work, places, lines = open_work(keys[1]), by_place(cmsgpack.unpack(args[2])), {}
  local key = key_of(work, 'reservation', args[1])
  local record = redis.call('GET', key)
  local reservation = record and reservation_of(work, record)
  if not reservation then return 0 end
  for _, line in ipairs(reservation.lines) do
    local told = line[DATED] == FAR and places[place_of(line)]
    if told then
      local left = line[QUANTITY]
      while left > 0 and told[1] do
        local row = table.remove(told, 1)
        left = left - row[QUANTITY]
        lines[#lines + 1] = row
      end
      if left ~= 0 then return 0 end
    else
      lines[#lines + 1] = line
    end
  end
  reservation.lines = lines
  redis.call('SET', key, record_of(reservation), 'KEEPTTL')
  return 1
end)
