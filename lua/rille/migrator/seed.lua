--- seed: runs the files of the seeds' folder, each `return function(rille) … end`, each in a transaction of its own.
local core = require "rille.core"
local Error = require "rille.error"
local Failure = require "rille.migrator.failure"
local Transaction = require "rille.transaction"
local inflect = require "rille.inflect"

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
  local ok, e = xpcall(handle.transaction, Error.keep_trace, handle, function()
    Transaction.is_for_several()
    seed(require "rille")
  end)
  if ok then return end
  if Failure.is_interrupt(e) then Error.again(e) end
  error(Failure.new(path, "seed", e), 0)
end

--- Names of the files, less their ending, in order.
local function names_of(folder)
  local names, files, why = {}, core.list_directory(folder)
  if not files then
    Error.raise("migration", "the folder of seeds cannot be read: " .. tostring(why), {
      file = folder, hint = "`seeds` in the configuration says where it is",
    })
  end
  for _, file in ipairs(files) do names[#names + 1] = file:match "^([^.].*)%.lua$" end
  table.sort(names)
  return names
end

--- The one seed that is meant: by the name of its file, or written like a class.
local function chosen(folder, names, only)
  if type(only) ~= "string" then Error.argument("seed.only", "the name of a seed", only) end
  for _, name in ipairs(names) do
    if name == only or name == inflect.underscore(only) then return { name } end
  end
  Error.unknown("not_found", "seed", only, names, folder, { hint = ("%s/%s.lua would be it"):format(folder, only) })
end

--- Run the seeds by name; all are loaded before the first one runs, and the first that fails ends it.
---@param handle rille.Handle
---@param folder string
---@param sown string[]  names of the files, less their ending, are added as they have run
---@param only? string   the name of the one to run
function M.run(handle, folder, sown, only)
  local names, seeds = names_of(folder), {}
  if only ~= nil then names = chosen(folder, names, only) end
  for i, name in ipairs(names) do seeds[i] = load_file(("%s/%s.lua"):format(folder, name)) end
  for i, seed in ipairs(seeds) do
    sow(handle, ("%s/%s.lua"):format(folder, names[i]), seed)
    sown[i] = names[i]
  end
end

return M
