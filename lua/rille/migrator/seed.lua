--- seed: runs the files of the seeds' folder, each `return function(rille) … end`, each in a transaction of its own.
local core = require "rille.core"
local Error = require "rille.error"
local Failure = require "rille.migrator.failure"

local M = {}

local function fail(path, message, fields)
  fields = fields or {}
  fields.file = path
  Error.raise("migration", ("%s: %s"):format(path, message), fields)
end

local function load_file(path)
  local chunk, wrong = loadfile(path, "t", require "rille.autoload".environment())
  if not chunk then error(Failure.new(path, "loading", wrong), 0) end
  local ok, value = xpcall(chunk, Error.keep_trace)
  if not ok then error(Failure.new(path, "loading", value), 0) end
  if type(value) ~= "function" then fail(path, "returns no function", { hint = "return function(rille) … end" }) end
  return value
end

--- Run one seed; what it raises says which one it was.
local function sow(handle, path, seed)
  local ok, e = xpcall(handle.transaction, Error.keep_trace, handle, function() seed(require "rille") end)
  if ok then return end
  if Failure.is_interrupt(e) then Error.again(e) end
  error(Failure.new(path, "seed", e), 0)
end

--- Run all seeds by name; all are loaded before the first one runs, and the first that fails ends it.
---@param handle rille.Handle
---@param folder string
---@param sown string[]  names of the files, less their ending, are added as they have run
function M.run(handle, folder, sown)
  local names, seeds = {}, {}
  local files, why = core.list_directory(folder)
  if not files then
    Error.raise("migration", "the folder of seeds cannot be read: " .. tostring(why), {
      file = folder, hint = "`seeds` in the configuration says where it is",
    })
  end
  table.sort(files)
  for _, file in ipairs(files) do
    names[#names + 1] = file:match "^([^.].*)%.lua$"
    if names[#seeds + 1] then seeds[#seeds + 1] = load_file(folder .. "/" .. file) end
  end
  for i, seed in ipairs(seeds) do
    sow(handle, ("%s/%s.lua"):format(folder, names[i]), seed)
    sown[i] = names[i]
  end
end

return M
