-- KEYS: the holders. ARGV: the time to live, a holder that is new or nothing, how many live on, these, and those that hold no more. Answers with what the
-- data are known by, and with those that have been taken for dead.
local ttl, new, lives = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local known = call('HMGET', live, 'e', 'n', 'd')
local ends = false
for i = 4 + lives, #ARGV do
  -- As though its time were up.
  if call('HEXISTS', live, ARGV[i]) == 1 then
    call('HSET', live, ARGV[i], 0)
    ends = true
  end
end
look(known[1], not ends and known[2], ttl)
if new ~= '' then
  call('HSETNX', live, 'd', new)
  call('HSET', live, new, now + ttl)
end
local told = {call('HGET', live, 'd') or ''}
for i = 4, 3 + lives do
  if call('HEXISTS', live, ARGV[i]) == 1 then
    call('HSET', live, ARGV[i], now + ttl)
  else
    told[#told + 1] = ARGV[i]
  end
end
return told
