-- Budgets of tokens: the arithmetic of tokens/bucket.rs and tokens/holds.rs, by this server's clock.
--
-- KEYS: the rate, the quota, or both, of one budget.
-- ARGV: 'reserve', tokens that must have room, to charge, to hold; or 'settle', slot of the hold,
-- to charge (below zero: give back), held. Then for each key 'rate', tokens, period (ms); or
-- 'quota', tokens, end of the period (ms since 1970).
-- Gives the slot; then for each key: whether it has room, tokens left, ms to wait, whether so much
-- never has room.
local SLOT_MS, N_SLOTS, MAX_DEBT_PERIODS, WAIT_FOR_HOLDS = 300000, 3, 1440, 1000
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local now_slot = math.floor(now / SLOT_MS)
local is_reservation = ARGV[1] == 'reserve'
local needed = is_reservation and math.max(tonumber(ARGV[2]), 1) or 0
local slot = is_reservation and now_slot or tonumber(ARGV[2])
local charge, hold = tonumber(ARGV[3]), tonumber(ARGV[4])

-- {n, at, tokens, period, slot, held, slot, held, ...}; n is the bucket's level, or what was used.
local function load(key, kind, tokens, period)
  local packed = redis.call('GET', key)
  local state = packed and cmsgpack.unpack(packed)
  if type(state) ~= 'table' then
    return { kind == 'rate' and tokens * period or 0, now, tokens, period }, 0, false
  end
  local has_changed = false
  if kind == 'rate' then
    local of_tokens, of_period = state[3], state[4]
    has_changed = of_tokens ~= tokens or of_period ~= period
    local level = math.min(state[1] + math.max(now - state[2], 0) * of_tokens, of_tokens * of_period)
    if of_period ~= period then
      local whole = level / of_period
      level = (whole < 0 and math.ceil(whole) or math.floor(whole)) * period
    end
    state[1], state[2] = math.min(level, tokens * period), math.max(state[2], now)
    state[3], state[4] = tokens, period
  end
  local kept, held = { state[1], state[2], state[3], state[4] }, 0
  for i = 5, #state, 2 do
    if state[i] + N_SLOTS > now_slot and state[i + 1] > 0 then
      kept[#kept + 1], kept[#kept + 2] = state[i], state[i + 1]
      held = held + state[i + 1]
    end
  end
  return kept, held, has_changed
end

local function change_hold(state, n)
  for i = 5, #state, 2 do
    if state[i] == slot then
      state[i + 1] = math.max(state[i + 1] + n, 0)
      return
    end
  end
  if n > 0 then
    state[#state + 1] = slot
    state[#state + 1] = n
  end
end

local function store(key, state, kind, tokens, period)
  local lifetime = math.max(period - now, 0)
  if kind == 'rate' then
    lifetime = math.ceil((tokens * period - state[1]) / math.max(tokens, 1))
  end
  if #state > 4 then lifetime = math.max(lifetime, SLOT_MS * N_SLOTS) end
  redis.call('SET', key, cmsgpack.pack(state), 'PX', lifetime + 1000)
end

local states, changed, answer, has_room = {}, {}, { now_slot }, true
for i, key in ipairs(KEYS) do
  local kind, tokens, period = ARGV[3 * i + 2], tonumber(ARGV[3 * i + 3]), tonumber(ARGV[3 * i + 4])
  local state, held, has_changed = load(key, kind, tokens, period)
  states[i], changed[i] = state, has_changed
  local room, left, wait, never
  if kind == 'rate' then
    room = not is_reservation or state[1] - held * period >= needed * period
    left = math.floor(math.max(state[1], 0) / period)
    never = needed > tokens
    wait = math.ceil(math.max(needed * period - state[1], 0) / math.max(tokens, 1))
    if room then wait = 0 elseif wait == 0 then wait = WAIT_FOR_HOLDS end
  else
    room = not is_reservation or state[1] + held + needed <= tokens
    left, wait, never = math.max(tokens - state[1], 0), math.max(period - now, 0), needed > tokens
  end
  has_room = has_room and room
  answer[4 * i - 2], answer[4 * i - 1] = room and 1 or 0, left
  answer[4 * i], answer[4 * i + 1] = wait, never and 1 or 0
end
for i, key in ipairs(KEYS) do
  local kind, tokens, period = ARGV[3 * i + 2], tonumber(ARGV[3 * i + 3]), tonumber(ARGV[3 * i + 4])
  local state, is_charged = states[i], has_room or not is_reservation
  if is_charged then change_hold(state, is_reservation and hold or -hold) end
  if is_charged and kind == 'rate' then
    local full = tokens * period
    state[1] = math.max(math.min(state[1] - charge * period, full), -MAX_DEBT_PERIODS * full)
    answer[4 * i - 1] = math.floor(math.max(state[1], 0) / period)
  elseif is_charged then
    state[1] = math.max(state[1] + charge, 0)
    answer[4 * i - 1] = math.max(tokens - state[1], 0)
  end
  if is_charged or changed[i] then store(key, state, kind, tokens, period) end
end
return answer
