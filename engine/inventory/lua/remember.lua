-- Stores an answer that was found without calling another function, unless the key has an outcome already.
-- KEYS[1]  the idempotency record     ARGV[1]  the fingerprint          ARGV[2]  the answer, packed by the caller
-- Returns  {0, the answer}, or {1, the reply or answer stored before} from replay.lua
-- Invariant: an outcome once stored is never replaced.

register_once('allot_remember_v1', function(_, args) return args[1] end)
