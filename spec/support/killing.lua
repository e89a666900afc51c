--- killing: a command of the program that is killed at any moment and run again until it ends.
local core = require "rille.core"

local M = {}

local KILLS_MAX <const> = 12                   -- of one command: from then on it is left alone

--- How often a spec is to kill: as RILLE_CRASH_ROUNDS says, or as it says itself; in dev all is several times slower.
---@param release integer
---@param dev? integer
---@return integer
function M.rounds(release, dev)
  local in_dev = (os.getenv "RILLE_BUILD" or ""):find "dev$" ~= nil
  return tonumber(os.getenv "RILLE_CRASH_ROUNDS") or in_dev and dev or release
end

--- Leave it alone; how long it takes, in seconds.
---@param project table  of spec.support.project
---@param command string
---@return number
function M.time(project, command)
  local began = core.monotonic_ms()
  local status, out = project:run(command)
  assert(status == 0, out)
  return (core.monotonic_ms() - began) / 1000
end

--- Kill it at any moment until it ends by itself, and run it once more: that finishes what a last kill left.
---@param project table
---@param command string
---@param seconds number   how long it takes
---@param look? fun()      after each kill
---@param most? integer    kills
---@return integer kills
function M.run(project, command, seconds, look, most)
  local kills = 0
  while kills < math.min(most or KILLS_MAX, KILLS_MAX) do
    local done, _, status = os.execute(("cd '%s' && timeout --foreground -s KILL %.4f '%s' %s >>log 2>&1 </dev/null")
      :format(project.path, math.random() * seconds * 1.2, os.getenv "RILLE", command))
    if done then break end
    -- 124: that it was done came together with the end of its time.
    assert(status == 137 or status == 9 or status == 124, project:read "log")
    kills = kills + 1
    if look then look() end
  end
  M.time(project, command)
  return kills
end

--- Call `fn` in rounds until it has killed often enough: what is quicker than it was at first may not be killed at all.
---@param rounds integer
---@param fn fun(round: integer): integer  how often it killed
---@return integer kills
function M.rounds_of(rounds, fn)
  local round, kills = 0, 0
  while round < rounds or kills < rounds and round < 5 * rounds do
    round = round + 1
    kills = kills + fn(round)
  end
  assert(kills >= rounds, ("killed %d times only"):format(kills))
  return kills
end

return M
