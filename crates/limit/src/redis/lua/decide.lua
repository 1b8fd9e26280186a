-- KEYS: the holders, then each count once. ARGV: the holder (empty where nothing is held), its time to live, how many counts there are; of each
-- count a slot's width, 0 for a gauge, or -1 - its end for a period (-1: none); then of each claim its count, limit, amount, and its class's count or
-- 0, with its minimum, how many other classes there are, and the count and minimum of each.
local me, ttl, counts = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if me ~= '' then
  local known = call('HMGET', live, 'e', 'n', me)
  look(known[1], known[2], ttl)
  local dies = tonumber(known[3])
  if not dies or dies <= now then return {4} end
  if dies - now < ttl / 2 then call('HSET', live, me, now + ttl) end
end

-- Of a window `newest` is its newest slot and `here` what stands there; of what is held all that is, and what this holder holds.
local kind, taken, newest, here, since, known = {}, {}, {}, {}, {}, {}
for i = 1, counts do
  local k = tonumber(ARGV[3 + i])
  kind[i] = k
  if k > 0 then
    taken[i], newest[i], here[i] = window(KEYS[i + 1], k)
    known[i] = true
  else
    local spent
    newest[i], here[i], spent, since[i] = held(KEYS[i + 1], me)
    taken[i] = min(newest[i] + (spent or 0), MOST)
    known[i] = k == 0 or spent ~= nil
  end
end

-- Claims, as they are read.
local at, claims = 4 + counts, {}
local unseeded, fits = {3}, true
while ARGV[at] do
  local count, limit, amount = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local own = tonumber(ARGV[at + 3])
  at = at + 4
  claims[#claims + 1] = {count, amount, own, limit}
  if not known[count] then unseeded[#unseeded + 1] = #claims - 1 end
  if amount > limit - taken[count] then fits = false end
  if own > 0 then
    local minimum, others = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
    at = at + 2
    local room = limit - taken[count] - amount
    local kept = 0
    for _ = 1, others do
      local used, least = taken[tonumber(ARGV[at])], tonumber(ARGV[at + 1])
      if used == 0 then kept = kept + math.ceil(least / 10) else kept = kept + max(least - used, 0) end
      at = at + 2
    end
    if amount > minimum - taken[own] and kept > room then fits = false end
    claims[#claims][5], claims[#claims][6] = minimum, kept
  end
end
if #unseeded > 1 then return unseeded end

if not fits then
  -- Rare, and the rest is arithmetic: all that counts is told.
  local told = {2, now}
  for i = 1, counts do
    if kind[i] > 0 then
      local slots = {}
      if taken[i] > 0 then
        local all = call('HGETALL', KEYS[i + 1])
        for j = 1, #all, 2 do
          if tonumber(all[j]) then
            slots[#slots + 1] = tonumber(all[j])
            slots[#slots + 1] = tonumber(all[j + 1])
          end
        end
      end
      told[#told + 1] = slots
    else
      told[#told + 1] = {taken[i]}
    end
  end
  return told
end

local function charge(i, amount)
  local k, key = kind[i], KEYS[i + 1]
  if amount == 0 then return end
  if k > 0 then
    taken[i] = take(key, k, amount, taken[i], newest[i], here[i])
    here[i] = here[i] + amount
    return
  end
  newest[i], here[i] = newest[i] + amount, here[i] + amount
  taken[i] = min(taken[i] + amount, MOST)
  call('HSET', key, 'e', epoch, 't', newest[i], me, here[i])
  -- A period's expiry was set with what it had spent; a gauge's is put off while it is used.
  if k == 0 and (not since[i] or now - since[i] > DAY / 4) then
    call('HSET', key, 'x', now)
    call('PEXPIRE', key, DAY)
    since[i] = now
  end
end

for _, claim in ipairs(claims) do
  charge(claim[1], claim[2])
  if claim[3] > 0 then charge(claim[3], claim[2]) end
end

local told = {1, now}
for _, claim in ipairs(claims) do
  local i, own, limit = claim[1], claim[3], claim[4]
  local k, reset = kind[i], 0
  if k > 0 and taken[i] > 0 then
    local last = newest[i]
    if here[i] == 0 then
      last = 0
      for _, field in ipairs(call('HKEYS', KEYS[i + 1])) do last = max(last, tonumber(field) or 0) end
    end
    reset = max((last + SLOTS + 1) * k - now, 0)
  elseif k < 0 and taken[i] > 0 then
    if k == -1 then reset = -1 else reset = max(-1 - k - now, 0) end
  end
  local free = max(limit - taken[i], 0)
  if own > 0 then free = max(min(free, claim[5] - taken[own]), free - claim[6], 0) end
  told[#told + 1] = taken[i]
  told[#told + 1] = free
  told[#told + 1] = reset
end
return told
