-- Circuit breakers: failures of all gateways over a sliding interval, by this server's clock.
--
-- KEYS: for each breaker its window and its trip.
-- ARGV: for each breaker 'failures' or 'percentage', threshold, least calls, interval (ms),
--       trip (ms), calls and failures to count, ms that a gateway leaves it alone by itself or 0.
-- Gives for each breaker the ms that it stays open, 0 while it is closed.
local N_SLOTS, N_ARGS = 60, 8
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)

-- A window is {slot, calls, failures, slot, calls, failures, ...}, oldest first.
local function counted(key, interval, n_calls, n_failures)
  local width = math.max(math.ceil(interval / N_SLOTS), 1)
  local slot = math.floor(now / width)
  local packed = redis.call('GET', key)
  local state, kept = packed and cmsgpack.unpack(packed) or {}, {}
  for i = 1, #state, 3 do
    if state[i] + N_SLOTS > slot and state[i] <= slot then
      for j = i, i + 2 do kept[#kept + 1] = state[j] end
    end
  end
  if kept[#kept - 2] ~= slot then
    for _, it in ipairs({ slot, 0, 0 }) do kept[#kept + 1] = it end
  end
  kept[#kept - 1] = kept[#kept - 1] + n_calls
  kept[#kept] = kept[#kept] + n_failures
  local all_calls, all_failures = 0, 0
  for i = 1, #kept, 3 do
    all_calls, all_failures = all_calls + kept[i + 1], all_failures + kept[i + 2]
  end
  return kept, all_calls, all_failures
end

local answer = {}
for i = 1, #KEYS / 2 do
  local window, open, at = KEYS[2 * i - 1], KEYS[2 * i], N_ARGS * (i - 1)
  local number = function(n) return tonumber(ARGV[at + n]) end
  local threshold, least, interval, trip = number(2), number(3), number(4), number(5)
  local n_calls, n_failures, tripped = number(6), number(7), number(8)
  local left = math.max(redis.call('PTTL', open), 0)
  if tripped > left then
    redis.call('SET', open, 1, 'PX', tripped)
    redis.call('DEL', window)
    left = tripped
  elseif left == 0 and n_calls > 0 then
    local kept, all_calls, all_failures = counted(window, interval, n_calls, n_failures)
    local is_too_many = all_failures >= threshold
    if ARGV[at + 1] == 'percentage' then
      is_too_many = all_calls >= least and 100 * all_failures >= threshold * all_calls
    end
    if is_too_many and n_failures > 0 then
      redis.call('SET', open, 1, 'PX', trip)
      redis.call('DEL', window)
      left = trip
    else
      redis.call('SET', window, cmsgpack.pack(kept), 'PX', interval + 1000)
    end
  end
  answer[i] = left
end
return answer
