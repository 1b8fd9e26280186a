-- Counts as hashes. A window: `h` its newest slot, `t` what is taken, a number: what is taken in that slot. A gauge or a period: `t` what is held,
-- a number: what that holder holds, `e` the epoch in which the holders were looked at, `s` what is spent, `x` when its expiry was set.
local SLOTS = 60
local MOST = 9007199254740992
local DAY = 86400000
local floor, min, max = math.floor, math.min, math.max

-- The holders that live, and when each is taken for dead. `e` is another number whenever one has died, `n` is no later than the first death.
local live = KEYS[1]
local epoch
local alive

local function census()
  if alive then return alive end
  alive = {}
  local all = call('HGETALL', live)
  for i = 1, #all, 2 do
    local dies = tonumber(all[i + 1])
    if tonumber(all[i]) and dies > now then alive[all[i]] = dies end
  end
  return alive
end

-- Sees to it that who has died is no holder any more.
local function look(known, first, ttl)
  epoch = known
  if epoch and first and now < tonumber(first) then return end
  local all = call('HGETALL', live)
  local dead = not epoch
  first = now + ttl
  for i = 1, #all, 2 do
    if tonumber(all[i]) then
      local dies = tonumber(all[i + 1])
      if dies <= now then
        call('HDEL', live, all[i])
        dead = true
      else
        first = min(first, dies)
      end
    end
  end
  if dead then epoch = string.format('%.0f', max(now, (tonumber(epoch) or 0) + 1)) end
  call('HSET', live, 'e', epoch, 'n', first)
end

-- What is taken of a window, its newest slot, and what is taken in that.
local function window(key, width)
  local slot = floor(now / width)
  local known = call('HMGET', key, 'h', 't', slot)
  if not known[1] then return 0, slot, 0 end
  local head, total = tonumber(known[1]), tonumber(known[2])
  if head == slot then return total, slot, tonumber(known[3]) or 0 end
  if head > slot and head <= slot + SLOTS then
    -- The server's clock has stepped back: for this count time stands still until it has caught up.
    return total, head, tonumber(call('HGET', key, head)) or 0
  end
  local all = call('HGETALL', key)
  local gone, kept, here, ahead = {}, 0, 0, 0
  for i = 1, #all, 2 do
    local at, amount = tonumber(all[i]), tonumber(all[i + 1])
    if at and at > slot then
      ahead = ahead + amount
    elseif at and at >= slot - SLOTS then
      kept = kept + amount
      if at == slot then here = amount end
    end
    if at and (at > slot or at < slot - SLOTS) then gone[#gone + 1] = all[i] end
  end
  if #gone > 0 then call('HDEL', key, unpack(gone)) end
  if kept + ahead == 0 then
    call('DEL', key)
    return 0, slot, 0
  end
  call('HSET', key, 'h', slot, 't', kept + ahead)
  if ahead > 0 then
    -- The clock has stepped back by more than a window: what was taken counts from now on.
    here = here + ahead
    call('HSET', key, slot, here)
    call('PEXPIRE', key, (SLOTS + 2) * width)
  end
  return kept + ahead, slot, here
end

-- Takes `amount` in `slot`, the newest of a window.
local function take(key, width, amount, total, slot, here)
  total = min(total + amount, MOST)
  call('HSET', key, 'h', slot, 't', total, slot, min(here + amount, MOST))
  if here == 0 then call('PEXPIRE', key, (slot + SLOTS + 2) * width - now) end
  return total
end

-- What is held, by `holder` too, and what is spent, of a gauge or a period; last, when its expiry was set.
local function held(key, holder)
  local known = call('HMGET', key, 'e', 't', holder, 's', 'x')
  local spent, since = tonumber(known[4]), tonumber(known[5])
  if not known[1] then return 0, 0, spent, since end
  if known[1] == epoch then return tonumber(known[2]), tonumber(known[3]) or 0, spent, since end
  local all = call('HGETALL', key)
  local total = 0
  for i = 1, #all, 2 do
    if tonumber(all[i]) then
      if census()[all[i]] then
        total = total + tonumber(all[i + 1])
      else
        call('HDEL', key, all[i])
      end
    end
  end
  call('HSET', key, 'e', epoch, 't', total)
  return total, census()[holder] and tonumber(known[3]) or 0, spent, since
end
