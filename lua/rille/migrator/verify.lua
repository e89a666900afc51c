--- verify: does `down` undo what `up` does?  Tried for every migration on an empty database in memory.
local Error = require "rille.error"
local Rehearsal = require "rille.schema.rehearsal"
local Snapshot = require "rille.migrator.snapshot"
local Step = require "rille.migrator.step"

local M = {}

local function step(handle, migration, direction)
  Step.run(handle, migration, direction, { unrecorded = true })
end

--- Up, down and up again; what is different afterwards.
local function try(handle, migration)
  local before = Snapshot.take(handle)
  step(handle, migration, "up")
  local done = Snapshot.take(handle)
  local ok, e = pcall(step, handle, migration, "down")
  if not ok then
    if not Error.is(e, "migration") then error(e, 0) end
    return { e.message }
  end
  local differences = Snapshot.compare(before, Snapshot.take(handle))
  if #differences > 0 then return differences end
  step(handle, migration, "up")
  return Snapshot.compare(done, Snapshot.take(handle))
end

--- Try every migration after the ones before it.
---@param handle rille.Handle
---@param migrations rille.Migration[]
---@return { name: string, ok: boolean, differences: string[] }[]
function M.run(handle, migrations)
  local results = {}
  -- After a migration that left something behind, the next ones are tried on a database that is clean again.
  local function from(first)
    for i = 1, first - 1 do step(handle, migrations[i], "up") end
    for i = first, #migrations do
      local differences = try(handle, migrations[i])
      results[i] = { name = migrations[i].name, ok = #differences == 0, differences = differences }
      if #differences > 0 then return end
    end
  end
  while #results < #migrations do
    Rehearsal.run(handle, { empty = true }, function() from(#results + 1) end)
  end
  return results
end

return M
