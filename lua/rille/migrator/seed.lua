--- seed: runs the files of the seeds' folder, each `return function(rille) … end`, each in a transaction of its own.
local core = require "rille.core"
local Error = require "rille.error"

local M = {}

local function fail(path, message, fields)
  fields = fields or {}
  fields.file = path
  Error.raise("migration", ("%s: %s"):format(path, message), fields)
end

local function load_file(path)
  local chunk, wrong = loadfile(path, "t", require "rille.autoload".environment())
  if not chunk then fail(path, wrong) end
  local ok, value = xpcall(chunk, Error.keep_trace)
  if not ok then
    local message = Error.is(value) and value.message or tostring(value)
    fail(path, message, { cause = value, traceback = Error.traceback(value) })
  end
  if type(value) ~= "function" then fail(path, "returns no function", { hint = "return function(rille) … end" }) end
  return value
end

--- Run all seeds by name; all are loaded before the first one runs, and the first that fails ends it.
---@param handle rille.Handle
---@param folder string
---@return string[] names  of the files, less their ending
function M.run(handle, folder)
  local names, seeds = {}, {}
  local files, why = core.list_directory(folder)
  if not files then fail(folder, "the folder of seeds cannot be read: " .. tostring(why)) end
  table.sort(files)
  for _, file in ipairs(files) do
    names[#names + 1] = file:match "^([^.].*)%.lua$"
    if names[#seeds + 1] then seeds[#seeds + 1] = load_file(folder .. "/" .. file) end
  end
  for _, seed in ipairs(seeds) do
    handle:transaction(function() seed(require "rille") end)
  end
  return names
end

return M
