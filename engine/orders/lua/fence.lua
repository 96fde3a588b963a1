-- Keeps those from committing for a run who do not work on it any more, and a run from committing an order twice.
-- Include after orders.lua.
--
-- run_fence:<run id>  the highest epoch of the run that is known in this partition
-- run_done:<run id>   set: the orders at home in this partition that the run has committed
-- Invariants: with an epoch below the fence nothing is committed; what a run has committed it commits never again, though
-- another run has had the order since. Epoch 0 is that of callers without a fence.

local RUN_SECONDS, RUN_OVER = 2592000, 1000000000

-- Raises the fence of a run to an epoch; returns an error if it is higher already.
local function pass_fence(work, run_id, epoch)
  local key = key_of(work, 'run_fence', run_id)
  local fence = tonumber(redis.call('GET', key) or 0)
  if epoch > 0 and epoch < fence then return redis.error_reply('FENCED run ' .. run_id .. ' is at epoch ' .. fence) end
  if epoch > fence then redis.call('SET', key, epoch, 'EX', RUN_SECONDS) end
end

local function done_by(work, run_id, order_ids)
  local done = {}
  if #order_ids == 0 then return done end
  local found = redis.call('SMISMEMBER', key_of(work, 'run_done', run_id), unpack(order_ids))
  for i, order_id in ipairs(order_ids) do done[order_id] = found[i] == 1 end
  return done
end

local function keep_done(work, run_id, epoch, writes)
  local order_ids = {}
  for order_id in pairs(writes) do order_ids[#order_ids + 1] = order_id end
  if epoch == 0 or #order_ids == 0 then return end
  local key = key_of(work, 'run_done', run_id)
  redis.call('SADD', key, unpack(order_ids))
  redis.call('EXPIRE', key, RUN_SECONDS)
end
