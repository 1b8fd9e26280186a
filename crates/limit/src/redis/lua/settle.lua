-- KEYS: the holders, this process's last batch, then each count once. ARGV: the batch's number, the time to live, then five words for each entry: its
-- count, and
--   0, a slot's width, a slot, an amount: given back to that slot, if it still counts;
--   1, a slot's width, an age, an amount: taken so many milliseconds ago;
--   2, a holder, an amount, 0: held no more, of a gauge;
--   3, a holder, an amount, an amount: held no more, and spent, of a period.
local last = call('GET', KEYS[2])
if last and tonumber(ARGV[1]) <= tonumber(last) then return 0 end
call('SET', KEYS[2], ARGV[1], 'PX', DAY)

local known = call('HMGET', live, 'e', 'n')
look(known[1], known[2], tonumber(ARGV[2]))

for i = 3, #ARGV, 5 do
  local key, act = KEYS[tonumber(ARGV[i]) + 2], ARGV[i + 1]
  local a, b, c = ARGV[i + 2], tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4])
  if act == '0' then
    local width = tonumber(a)
    local total, newest = window(key, width)
    local there = total > 0 and b >= newest - SLOTS and tonumber(call('HGET', key, b))
    if there then
      local back = min(there, c)
      if back == total then
        call('DEL', key)
      else
        call('HSET', key, 't', total - back)
        if back == there then call('HDEL', key, b) else call('HSET', key, b, there - back) end
      end
    end
  elseif act == '1' then
    local width = tonumber(a)
    local total, newest, here = window(key, width)
    local slot = min(floor((now - b) / width), newest)
    if slot == newest then
      take(key, width, c, total, slot, here)
    elseif slot >= newest - SLOTS then
      local there = tonumber(call('HGET', key, slot)) or 0
      call('HSET', key, 'h', newest, 't', min(total + c, MOST), slot, min(there + c, MOST))
      call('PEXPIRE', key, (newest + SLOTS + 2) * width - now)
    end
  else
    local total, mine, spent = held(key, a)
    local back = min(mine, b)
    if act == '2' then
      if back > 0 and back == total then
        call('DEL', key)
      elseif back > 0 then
        call('HSET', key, 't', total - back, a, mine - back)
        if back == mine then call('HDEL', key, a) end
      end
    elseif spent then
      -- A period that isn't known is seeded with what its ledger says, which has this too.
      call('HSET', key, 's', min(spent + c, MOST), 't', total - back)
      if back == mine then call('HDEL', key, a) else call('HSET', key, a, mine - back) end
    elseif back > 0 then
      call('HSET', key, 't', total - back, a, mine - back)
    end
  end
end
return 1
