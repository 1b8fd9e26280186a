-- Milliseconds since 1970, of the server: no process's own clock has a say.
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
