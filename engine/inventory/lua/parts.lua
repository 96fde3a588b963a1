-- Reservations whose lines lie in several partitions, as each partition sees them. Include after dated.lua.
--
-- One partition, by the hash of the reservation's id, is its home. There it is a reservation like any other, with all its
-- lines, and its record is the truth about it: those of other partitions are FAR (demand.lua). `version` counts its changes,
-- `parts` lists the partitions of its lines, `eaten` the lines of other partitions that were consumed.
-- In each other partition its lines there are a part, which follows. Keys:
--   part:<id>    {state, home, token, version, lines, eaten, asked, channel, due, patience, tried}
--                state: held confirmed closed; version: that of the home it has followed to, 0 before the first; token: the
--                attempt to hold that made it; due: when its home has to be asked; patience: from when on a home that knows
--                nothing of it means that the attempt has died; tried: lines of a consumption its home has not decided on
--   parts_due    sorted set of ids by due: parts that are held, or have something tried
--   unfinished   sorted set of the reservations at home here whose parts may be behind (commit.lua)
--   barred:<token>  an attempt that was given up: its commit is refused
-- part_at(work, id)   put_part(work, id, part)   commit_work writes those that are dirty
-- Invariant: a part's units are in the cells of its partition until its home says otherwise: no deadline of its own frees them.

local CLOSED_PART_SECONDS = 3600

local function put_part(work, id, part)
  work.parts = work.parts or {}
  part.dirty = true
  work.parts[id] = part
end

local function has_dirty_part(work)
  for _, part in pairs(work.parts or NONE) do
    if part and part.dirty then return true end
  end
  return false
end

local function write_part(work, id, part)
  part.dirty = nil
  index_dated(work, PART .. id, part)
  local key, packed = key_of(work, 'part', id), cmsgpack.pack(part)
  if part.state == 'held' or part.tried then redis.call('ZADD', key_of(work, 'parts_due'), part.due, id)
  else redis.call('ZREM', key_of(work, 'parts_due'), id) end
  if part.state == 'closed' then redis.call('SET', key, packed, 'EX', CLOSED_PART_SECONDS)
  else redis.call('SET', key, packed) end
end

local function write_parts(work)
  for id, part in pairs(work.parts or NONE) do
    if part and part.dirty then write_part(work, id, part) end
  end
end
