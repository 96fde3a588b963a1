-- How many reservations each holder keeps held, where holds are limited. Include after cells.lua.
--
-- open_holds  hash: holder → how many of theirs are held; a holder without any is absent
-- A reservation that counts names its holder in its field `holder` when it is put, absent once it is counted off. Without a
-- limit nobody is named, and nothing of this is read or written.
-- open_of(work, holder)          how many there are, this call's included
-- count_on(work, holder), count_off(work, reservation)  the second does nothing to one that is held still
-- write_open(work)               writes what was counted
-- Invariant: the number of a holder is that of the held reservations that name it.

local function count_of(work, holder)
  work.open_holds = work.open_holds or {}
  local count = work.open_holds[holder]
  if not count then
    count = { by = 0 }
    work.open_holds[holder] = count
  end
  return count
end

local function open_of(work, holder)
  local count = count_of(work, holder)
  if not count.written then count.written = tonumber(redis.call('HGET', key_of(work, 'open_holds'), holder) or 0) end
  return count.written + count.by
end

local function count_on(work, holder)
  local count = count_of(work, holder)
  count.by = count.by + 1
end

local function count_off(work, reservation)
  if not reservation.holder or reservation.state == 'held' then return end
  local count = count_of(work, reservation.holder)
  reservation.holder, count.by = nil, count.by - 1
end

local function write_open(work)
  for holder, count in pairs(work.open_holds or {}) do
    if count.by ~= 0 then
      local left = redis.call('HINCRBY', key_of(work, 'open_holds'), holder, count.by)
      if left <= 0 then redis.call('HDEL', key_of(work, 'open_holds'), holder) end
    end
  end
  work.open_holds = nil
end
