-- Tells the feed (engine/feed/lua/feed.lua) of a new version, in the partition of `key`.
local function tell(key, act, who, name, version)
  local time = redis.call('TIME')
  redis.call('XADD', string.match(key, '^{[^}]*}') .. ':events', 'MAXLEN', '~', 500000, '0-*', 'e', cmsgpack.pack({
    time[1] * 1000 + math.floor(time[2] / 1000), 'document', act, who or '', { { name, version } } }))
end

-- Puts the next version of a document; the one before is gone.
-- KEYS[1]  the document: a hash of version and body        KEYS[2]  the epoch of all documents
-- ARGV[1]  the body                                        ARGV[2]  who (absent in calls of earlier versions)
-- Returns  the new version (1, 2, …)
-- Invariant: version and epoch move together with the body, one step each per put.

redis.register_function('allot_put_document_v1', function(keys, args)
  local version = redis.call('HINCRBY', keys[1], 'version', 1)
  redis.call('HSET', keys[1], 'body', args[1])
  redis.call('INCR', keys[2])
  tell(keys[1], 'put', args[2], string.match(keys[1], '^{[^}]*}:document:(.*)$') or '', version)
  return version
end)

-- Adds the next version of a document to a collection; the ones before stay.
-- KEYS[1]  the collection: a hash of latest versions by name        KEYS[2]  the document: a hash of bodies by version
-- ARGV[1]  the name        ARGV[2]  the body        ARGV[3]  who (absent in calls of earlier versions)
-- Returns  the new version (1, 2, …)
-- Invariant: the versions of a document are 1 to the latest, and none that was written is written again.

redis.register_function('allot_add_document_v1', function(keys, args)
  local version = redis.call('HINCRBY', keys[1], args[1], 1)
  redis.call('HSETNX', keys[2], version, args[2])
  tell(keys[1], 'add', args[3], (string.match(keys[1], '^{[^}]*}:collection:(.*)$') or '') .. '/' .. args[1], version)
  return version
end)
