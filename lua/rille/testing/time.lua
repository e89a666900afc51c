--- testing.time: a clock that stands, or goes at another time, for rille, os.time and os.date.
local core = require "rille.core"
local clock = require "rille.clock"
local Error = require "rille.error"

local M = {}

local real_time, real_date = os.time, os.date
local stopped                ---@type string?  the moment at which it stands
local offset = 0             -- seconds between the system's clock and one that goes

local function now()
  return stopped or (core.moment(core.now(), offset))
end

local function seconds_now()
  local _, micros = core.moment(now())
  return micros // 1000000
end

local function time(fields)
  if fields ~= nil then return real_time(fields) end
  return seconds_now()
end

local function date(format, seconds)
  return real_date(format or "%c", seconds or seconds_now())
end

local function install()
  clock.use(now)
  os.time, os.date = time, date                                             -- luacheck: ignore 122
  return now()
end

function M.freeze(moment)
  stopped = core.moment(moment == nil and now() or moment)
  return install()
end

function M.travel(seconds)
  if type(seconds) ~= "number" then Error.argument("testing.travel", "a number of seconds", seconds) end
  if stopped then
    stopped = core.moment(stopped, seconds)
  else
    core.moment(core.now(), offset + seconds)               -- raises where no clock can be
    offset = offset + seconds
  end
  return install()
end

function M.unfreeze()
  stopped, offset = nil, 0
  clock.use(nil)
  if os.time == time then os.time = real_time end                           -- luacheck: ignore 122
  if os.date == date then os.date = real_date end                           -- luacheck: ignore 122
end

return M
