-- Calls per period: the arithmetic of window.rs and bucket.rs, by this server's clock.
--
-- KEYS: the counters of one group.
-- ARGV: algorithm, calls to charge, 'if-room' or 'always'; then calls and period (ms) of each key.
-- Gives for each key: whether it has room, calls that are left, ms to wait.
local N_PARTS = 31
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local algorithm, n, always = ARGV[1], tonumber(ARGV[2]), ARGV[3] == 'always'
local needed = always and 1 or math.max(n, 1)

local function stored(key)
  local packed = redis.call('GET', key)
  local state = packed and cmsgpack.unpack(packed)
  if type(state) == 'table' and state[1] == algorithm then return state end
  return nil
end

-- A window is {algorithm, last, n, last, n, ...}, oldest first.
local window = {}

function window.load(key, calls, period)
  local state, kept = stored(key) or { algorithm }, { algorithm }
  for i = 2, #state, 2 do
    if state[i] + period > now then
      kept[#kept + 1] = state[i]
      kept[#kept + 1] = state[i + 1]
    end
  end
  return kept
end

function window.standing(state, calls, period)
  local total = 0
  for i = 3, #state, 2 do total = total + state[i] end
  local left = math.max(calls - total, 0)
  if needed > calls then return left, period end
  local over = total + needed - calls
  for i = 2, #state, 2 do
    if over <= 0 then break end
    over = over - state[i + 1]
    if over <= 0 then return left, math.max(state[i] + period - now, 1) end
  end
  return left, 0
end

function window.add(state, calls, period)
  local part = math.max(math.ceil(period / N_PARTS), 1)
  local newest = #state - 1
  if newest >= 2 and math.floor(state[newest] / part) >= math.floor(now / part) then
    state[newest] = math.max(state[newest], now)
    state[newest + 1] = state[newest + 1] + n
    return state
  end
  if #state >= 2 * N_PARTS + 3 then
    state[5] = state[5] + state[3]
    table.remove(state, 2)
    table.remove(state, 2)
  end
  state[#state + 1] = now
  state[#state + 1] = n
  return state
end

function window.lifetime(state, period) return period end

-- A bucket is {algorithm, level, at, calls, period}; a call is `period` units.
local bucket = {}

function bucket.load(key, calls, period)
  local state = stored(key)
  if not state then return { algorithm, calls * period, now, calls, period } end
  local of_calls, of_period = state[4], state[5]
  local elapsed = math.min(math.max(now - state[3], 0), 2 * of_period)
  local level = math.min(state[2] + elapsed * of_calls, of_calls * of_period)
  if of_calls ~= calls or of_period ~= period then
    local full = calls * period
    local scaled = level * (period / of_period)
    scaled = scaled < 0 and math.ceil(scaled) or math.floor(scaled)
    level = math.max(math.min(scaled, full), -full)
  end
  return { algorithm, level, math.max(state[3], now), calls, period }, of_calls ~= calls or of_period ~= period
end

function bucket.standing(state, calls, period)
  local left = math.floor(math.max(state[2], 0) / period)
  if needed > calls then return left, period end
  local lacking = math.max(needed * period - state[2], 0)
  return left, math.ceil(lacking / math.max(calls, 1))
end

function bucket.add(state, calls, period)
  state[2] = math.max(state[2] - n * period, -calls * period)
  return state
end

function bucket.lifetime(state, period) return 2 * period end

local kind = algorithm == 'bucket' and bucket or window
local states, changed, answer, has_room = {}, {}, {}, true
for i, key in ipairs(KEYS) do
  local calls, period = tonumber(ARGV[2 * i + 2]), tonumber(ARGV[2 * i + 3])
  states[i], changed[i] = kind.load(key, calls, period)
  local left, wait = kind.standing(states[i], calls, period)
  if wait > 0 then has_room = false end
  answer[3 * i - 2], answer[3 * i - 1], answer[3 * i] = wait == 0 and 1 or 0, left, wait
end
local is_charged = n > 0 and (always or has_room)
for i, key in ipairs(KEYS) do
  local calls, period = tonumber(ARGV[2 * i + 2]), tonumber(ARGV[2 * i + 3])
  local state = states[i]
  if is_charged then
    state = kind.add(state, calls, period)
    answer[3 * i - 1] = math.max(answer[3 * i - 1] - n, 0)
  end
  if is_charged or changed[i] then
    redis.call('SET', key, cmsgpack.pack(state), 'PX', kind.lifetime(state, period) + 1000)
  end
end
return answer
