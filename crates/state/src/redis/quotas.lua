-- Quotas: calls and bytes within fixed periods, by this server's clock.
--
-- KEYS: the counters of one group.
-- ARGV: calls and bytes to charge, 'if-room' or 'always'; then for each key the allowed calls and
-- bytes (-1: any), origin (ms since 1970) and length (ms, 0: no end) of the period.
-- Gives for each key: what is exceeded (0 nothing, 1 calls, 2 bytes), ms to wait (-1: for ever).
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local n_calls, n_bytes, always = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == 'always'
local needed = always and 1 or math.max(n_calls, 1)

local answer, fresh, starts, has_room = {}, {}, {}, true
for i, key in ipairs(KEYS) do
  local calls, bytes = tonumber(ARGV[4 * i]), tonumber(ARGV[4 * i + 1])
  local origin, length = tonumber(ARGV[4 * i + 2]), tonumber(ARGV[4 * i + 3])
  local start, wait = 0, -1
  if length > 0 then
    local since = (now - origin) % length
    start, wait = now - since, length - since
  end
  local stored = redis.call('HMGET', key, 'start', 'calls', 'bytes')
  local used_calls, used_bytes = 0, 0
  fresh[i] = not stored[1] or start > tonumber(stored[1])
  starts[i] = start
  if not fresh[i] then
    used_calls, used_bytes = tonumber(stored[2]), tonumber(stored[3])
    starts[i] = tonumber(stored[1])
  end
  local exceeded = 0
  if calls >= 0 and used_calls + needed > calls then
    exceeded = 1
  elseif bytes >= 0 and used_bytes >= bytes then
    exceeded = 2
  end
  if exceeded > 0 then has_room = false end
  answer[2 * i - 1], answer[2 * i] = exceeded, wait
end
if n_calls + n_bytes > 0 and (always or has_room) then
  for i, key in ipairs(KEYS) do
    if fresh[i] then
      redis.call('DEL', key)
      redis.call('HSET', key, 'start', string.format('%.0f', starts[i]))
    end
    redis.call('HINCRBY', key, 'calls', ARGV[1])
    redis.call('HINCRBY', key, 'bytes', ARGV[2])
    local length = tonumber(ARGV[4 * i + 3])
    if length > 0 then
      redis.call('PEXPIREAT', key, string.format('%.0f', starts[i] + length + 1000))
    else
      redis.call('PERSIST', key)
    end
  end
end
return answer
