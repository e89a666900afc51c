--- autoload: finds a model by its name: declared already, or in a file of the models' directory.
-- models/user_profile.lua declares UserProfile.  It runs when the name is first used, so files may refer to each other.
local Config = require "rille.config"
local Error = require "rille.error"
local Folder = require "rille.folder"
local inflect = require "rille.inflect"

local M = {}

local loading = {}                -- path -> true while its file runs
local loaded                      -- the directory whose files have all been run

--- Name -> class, of every model declared so far.
local function declared() return require "rille.model".declared end

local function directory() return Config.current().models end

--- Names of the files, without ".lua", in order; none when there is no such directory.
local function stems()
  local found = {}
  for _, name in ipairs(Folder.names(directory())) do
    found[#found + 1] = name:match "^([^.].*)%.lua$"
  end
  table.sort(found)
  return found
end

--- The declared model that belongs into the file.
local function declared_by(stem)
  for name, class in next, declared() do
    if inflect.underscore(name) == stem then return class end
  end
end

--- Every name that would be found, sorted: of what is declared, and of files not yet run, as their names tell.
---@return string[]
function M.names()
  local names = {}
  for name in next, declared() do names[#names + 1] = name end
  for _, stem in ipairs(stems()) do
    if not declared_by(stem) then names[#names + 1] = inflect.camelize(stem) end
  end
  table.sort(names)
  return names
end

--- The line of the file that an error came from; ours do not say it themselves.
local function place_of(path, e)
  local line = Error.line_of(path, e.traceback or debug.traceback(nil, 2))
  return line and ("%s:%d"):format(path, line) or path
end

local Loading = { __close = function(self) loading[self.path] = nil end }

--- Run a file of the directory.  Its errors say file and line; an error of ours keeps its kind.
---@param path string
---@param text string  what it holds
---@return any value  that it returned
function M.run_file(path, text)
  if loading[path] then
    Error.raise("script", path .. " is needed while it is being loaded", {
      hint = 'name the model as a text, rille.belongs_to "User": it is looked up when it is first used',
    })
  end
  local chunk, wrong = load(text, "@" .. path, "t", M.environment { writable = false })
  if not chunk then Error.raise("script", wrong) end
  loading[path] = true
  local done <close> = setmetatable({ path = path }, Loading)      -- luacheck: ignore 211
  local ok, e = xpcall(chunk, function(e)
    if not Error.is(e) then e = Error.new("script", tostring(e)) end
    if not e.message:find(path, 1, true) then e.message = place_of(path, e) .. ": " .. e.message end
    return Error.keep_trace(e)
  end)
  if not ok then error(e, 0) end
  return e
end

--- The name under which `require` would load the file: "models/post.lua" is models.post.
local function module_of(path)
  return (path:gsub("^%./", ""):gsub("%.lua$", ""):gsub("/", "."))
end

--- What the file of that stem holds, or nil when there is no such file.
local function read(stem)
  local path = directory() .. "/" .. stem .. ".lua"
  local file <close> = io.open(path, "rb")
  return path, file and file:read "a"
end

--- The model of that name, or nil when neither a declaration nor a file has it.
---@param name string
---@return rille.Model?
function M.find(name)
  local class = declared()[name]
  if class or not name:find "^[%w_]+$" then return class end
  local path, text = read(inflect.underscore(name))
  if not text then return nil end
  package.loaded[module_of(path)] = M.run_file(path, text) or true     -- a later require shall not declare it again
  class = declared()[name]
  if not class then
    Error.raise("script", ('%s declares no model "%s"'):format(path, name), {
      hint = ('it begins with: return rille.model "%s" {'):format(name),
    })
  end
  return class
end

--- The model of that name; raises no_such_model when there is none.
---@param name string
---@return rille.Model
function M.model(name)
  if type(name) ~= "string" then Error.argument("model", "the name of a model", name) end
  local class = M.find(name)
  if not class then
    Error.unknown("no_such_model", "model", name, M.names(), nil, {
      model = name, hint = ("%s/%s.lua would declare it"):format(directory(), inflect.underscore(name)),
    })
  end
  return class
end

--- Run every file of the directory, in order of their names.
---@return rille.Model[] models  all that are declared now, in order of their names
function M.load_all()
  for _, stem in ipairs(stems()) do
    if not declared_by(stem) then
      local path, text = read(stem)
      package.loaded[module_of(path)] = M.run_file(path, text or "") or true
      if not declared_by(stem) then
        Error.raise("script", ('%s declares no model "%s"'):format(path, inflect.camelize(stem)))
      end
    end
  end
  local models = {}
  for i, name in ipairs(M.names()) do models[i] = declared()[name] end
  return models
end

--- The same once: later calls find the directory loaded.
function M.load_once()
  if loaded == directory() then return end
  M.load_all()
  loaded = directory()
end

--- The models are forgotten: the directory is no longer loaded.
function M.forget() loaded = nil end

--- Forget every model and read the files again.
---@param environment? table  of M.environment: what it kept of the models goes too
---@return string[] names  of the models
function M.reload(environment)
  for name, class in next, declared() do
    if environment and rawget(environment, name) == class then rawset(environment, name, nil) end
  end
  require "rille.model".forget_all()
  local factories = package.loaded["rille.factory.registry"]        -- not loaded: there are none
  if factories then factories.forget_all() end
  for _, stem in ipairs(stems()) do package.loaded[module_of(directory() .. "/" .. stem .. ".lua")] = nil end
  M.load_all()
  return M.names()
end

local function unknown_global(name)
  local known, is_class = M.names(), type(name) == "string" and name:find "^%u"
  if not is_class then
    for global in next, _G do known[#known + 1] = global end
  end
  Error.unknown(is_class and "no_such_model" or "script", is_class and "model" or "global variable", name, known)
end

--- Globals for the files of models, for scripts and for the REPL: Lua's own, `rille`, and every model by its name.
-- Reading a name that nobody knows raises.
---@param options? { writable: boolean? }  false: setting one raises, as in a model's file
---@return table
function M.environment(options)
  options = Error.options("environment", options, { "writable" })
  local meta = {}
  function meta.__index(_, name)
    local value = _G[name]
    if value ~= nil then return value end
    if name == "rille" then return require "rille" end
    local class = type(name) == "string" and name:find "^%u" and M.find(name)
    return class or unknown_global(name)
  end
  if options.writable == false then
    function meta.__newindex(_, name)
      Error.raise("script", ("the file of a model sets no globals: %s"):format(tostring(name)), {
        hint = ("local %s"):format(tostring(name)),
      })
    end
  end
  return setmetatable({}, meta)
end

return M
