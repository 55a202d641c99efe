-- The generic cell rate algorithm (ITU-T I.371) for one key, by this server's clock: all that is kept
-- is the time at which the budget is full again, in microseconds.
--
-- KEYS[1]  the key
-- ARGV     nanoseconds until one unit is given back, and until a whole burst is;
--          the least and the most units that are asked for
-- Answers how many are given, how long to wait in microseconds where none is, and how many are left.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local unit, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local least, most = tonumber(ARGV[3]), tonumber(ARGV[4])

-- Nobody owes more than a burst: a time further away was written by a clock that was ahead of this.
local full = tonumber(redis.call('GET', KEYS[1]) or '') or now
full = math.min(math.max(full, now), now + math.ceil(burst / 1000))

-- Never with a part of a unit added to the time of day, which has no digits left for it: a whole burst
-- would be a bit less than one.
local room = math.max(0, burst - (full - now) * 1000)
local given = math.min(most, math.floor(room / unit))
if given < least then
  return {0, math.ceil((least * unit - room) / 1000), math.floor(room / unit)}
end
full = full + math.ceil(given * unit / 1000)
-- In full: as text a number of this size would lose its last digits.
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
return {given, 0, math.max(0, math.floor((burst - (full - now) * 1000) / unit))}
