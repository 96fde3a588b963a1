-- Puts the next version of a document; the one before is gone.
-- KEYS[1]  the document: a hash of version and body        KEYS[2]  the epoch of all documents
-- ARGV[1]  the body
-- Returns  the new version (1, 2, …)
-- Invariant: version and epoch move together with the body, one step each per put.

redis.register_function('allot_put_document_v1', function(keys, args)
  local version = redis.call('HINCRBY', keys[1], 'version', 1)
  redis.call('HSET', keys[1], 'body', args[1])
  redis.call('INCR', keys[2])
  return version
end)

-- Adds the next version of a document to a collection; the ones before stay.
-- KEYS[1]  the collection: a hash of latest versions by name        KEYS[2]  the document: a hash of bodies by version
-- ARGV[1]  the name        ARGV[2]  the body
-- Returns  the new version (1, 2, …)
-- Invariant: the versions of a document are 1 to the latest, and none that was written is written again.

redis.register_function('allot_add_document_v1', function(keys, args)
  local version = redis.call('HINCRBY', keys[1], args[1], 1)
  redis.call('HSETNX', keys[2], version, args[2])
  return version
end)
