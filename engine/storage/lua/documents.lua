-- Puts the next version of a document.
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
