-- KEYS: the holders, a period. ARGV: what was spent of it, when it ends or 0. What is known stays.
if call('HSETNX', KEYS[2], 's', ARGV[1]) == 1 and ARGV[2] ~= '0' then
  call('PEXPIREAT', KEYS[2], max(tonumber(ARGV[2]) + 3600000, now + 3600000))
end
return 1
