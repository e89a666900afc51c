--- factory.registry: the factories that were defined, by the names of their models; files are run when first needed.
-- models/factories/user_profile.lua defines the one of UserProfile.
local core = require "rille.core"
local Autoload = require "rille.autoload"
local Config = require "rille.config"
local Error = require "rille.error"
local Fake = require "rille.fake"
local inflect = require "rille.inflect"

local M = {}

---@class rille.FactoryDefinition
---@field name string       of the model
---@field fn fun(fake: rille.Fake, i: integer): table
---@field states table<string, table|fun(attributes: table, fake: rille.Fake, i: integer): table>
---@field after_making function[]
---@field after_creating function[]
---@field place string      the file and line of its function

local defined = {}                -- name -> definition

local function directory() return Config.current().factories end

local OPTIONS = { "states", "after_making", "after_creating" }

local function check_states(where, states)
  if type(states) ~= "table" then Error.argument(where .. ": states", "a table of states by name", states) end
  for name, state in next, states do
    if type(name) ~= "string" or type(state) ~= "table" and type(state) ~= "function" then
      Error.argument(("%s: states.%s"):format(where, tostring(name)), "a table of attributes, or a function", state)
    end
  end
  return states
end

local function hook_list(where, name, fn)
  if fn == nil then return {} end
  if type(fn) ~= "function" then Error.argument(("%s: %s"):format(where, name), "a function", fn) end
  return { fn }
end

--- Say how records of a model are made up; a later definition takes the place of the one before.
---@param name string
---@param fn fun(fake: rille.Fake, i: integer): table
---@param options? { states: table?, after_making: function?, after_creating: function? }
function M.define(name, fn, options)
  local where = "factory " .. name
  if type(fn) ~= "function" then Error.argument(where, "a function that returns attributes", fn) end
  options = Error.options(where, options, OPTIONS)
  local info = debug.getinfo(fn, "S")
  defined[name] = {
    name = name, fn = fn, states = check_states(where, options.states or {}),
    after_making = hook_list(where, "after_making", options.after_making),
    after_creating = hook_list(where, "after_creating", options.after_creating),
    place = ("%s:%d"):format(info.short_src, info.linedefined),
  }
  Fake.count_anew(name)
end

--- Names of all factories that would be found, sorted.
local function names()
  local found, list = {}, {}
  for name in next, defined do found[name] = true end
  for _, file in ipairs(core.list_directory(directory()) or {}) do
    local stem = file:match "^([^.].*)%.lua$"
    if stem then found[inflect.camelize(stem)] = true end
  end
  for name in next, found do list[#list + 1] = name end
  table.sort(list)
  return list
end

--- The file that would define it is run, where there is one.
local function load(name)
  local path = ("%s/%s.lua"):format(directory(), inflect.underscore(name))
  local file <close> = io.open(path, "rb")
  local text = file and file:read "a"
  if not text then return path end
  Autoload.run_file(path, text)
  if not defined[name] then
    Error.raise("script", ('%s defines no factory of "%s"'):format(path, name), {
      hint = ('it begins with: return rille.factory("%s", function(fake, i)'):format(name),
    })
  end
  return path
end

--- The factory of a model.
---@param name string
---@return rille.FactoryDefinition
function M.find(name)
  local definition = defined[name]
  if definition then return definition end
  local path = load(name)
  definition = defined[name]
  if definition then return definition end
  local is_model = Autoload.find(name) ~= nil
  Error.unknown(is_model and "not_found" or "no_such_model", "factory", name, names(), nil, {
    model = name, hint = ("%s would define it; rille make:factory %s writes it"):format(path, name),
  })
end

--- Forget all factories, before their files are read anew.
function M.forget_all()
  for name in next, defined do defined[name] = nil end
end

return M
