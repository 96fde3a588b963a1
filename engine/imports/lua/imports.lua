-- Imports: rows to take in, piece by piece, and what became of each.
--
-- import:<id>         hash: kind, created_at, rows, pieces, next (the piece to take next), done, refused (rows), status
-- import_pieces:<id>  hash: number → rows (JSON)      import_report:<id>  list of lines (CSV), some for each piece taken
-- imports_open        set of ids that are not over
-- All but the last expire.

local KEPT_SECONDS = 7 * 86400

local function key_of(key, word, id)
  return string.match(key, '^{[^}]*}') .. ':' .. word .. (id and ':' .. id or '')
end

-- KEYS[1]  the idempotency record    KEYS[2]  imports_open
-- ARGV[1]  the fingerprint           ARGV[2]  id    ARGV[3]  kind    ARGV[4]  created_at    ARGV[5]  rows    ARGV[6]  pieces
-- ARGV[7]  how many may be open at once
-- Returns  created · many
register_once('allot_create_import_v1', function(keys, args)
  local id, kind, created_at, rows, pieces, most = unpack(args)
  local key = key_of(keys[1], 'import', id)
  if redis.call('EXISTS', key) == 0 then
    if redis.call('SCARD', keys[1]) >= tonumber(most) then return 'many' end
    redis.call('HSET', key, 'kind', kind, 'created_at', created_at, 'rows', rows, 'pieces', pieces, 'next', 0, 'done', 0,
      'refused', 0, 'status', 'queued')
    redis.call('EXPIRE', key, KEPT_SECONDS)
    redis.call('SADD', keys[1], id)
  end
  return 'created'
end)

-- Notes what became of a piece.
-- KEYS[1]  imports_open    ARGV[1]  id    ARGV[2]  the piece    ARGV[3]  rows done    ARGV[4]  rows refused    ARGV[5]  lines of it
-- Returns  1 · 0 if that was noted before, or the import is gone
-- Invariant: each piece is noted once, in order; the import is over with the last.
redis.register_function('allot_note_import_v1', function(keys, args)
  local id, piece = args[1], tonumber(args[2])
  local key = key_of(keys[1], 'import', id)
  local at, pieces = unpack(redis.call('HMGET', key, 'next', 'pieces'))
  if not at or tonumber(at) ~= piece then return 0 end
  local is_over = piece + 1 >= tonumber(pieces)
  redis.call('HSET', key, 'next', piece + 1, 'status', is_over and 'done' or 'running')
  redis.call('HINCRBY', key, 'done', args[3])
  redis.call('HINCRBY', key, 'refused', args[4])
  local report = key_of(keys[1], 'import_report', id)
  redis.call('RPUSH', report, args[5])
  redis.call('EXPIRE', report, KEPT_SECONDS)
  redis.call('HDEL', key_of(keys[1], 'import_pieces', id), args[2])
  if is_over then redis.call('SREM', keys[1], id) end
  return 1
end)
