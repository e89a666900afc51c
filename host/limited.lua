--- limited: what scripts see in a host that does not trust them.
-- They keep the table of globals that Lua made, less what reaches outside; what is left of a library is a copy.  The
-- modules of rille get a table of their own with the functions as Lua made them, so that no script can change what they
-- call.  Even they end no process and start none.
local charge, exhausted = ...      -- counts a new coroutine as instructions of the call; has it used up all of them?

local scripts, load_any, loadfile_any = _G, load, loadfile
local OPEN = { "string", "table", "math", "utf8", "coroutine" }
local OS = { "clock", "date", "difftime", "time" }
local CLOSED = { "io", "debug", "dofile", "loadfile", "collectgarbage" }

local function copy(original)
  local result = {}
  for name, value in next, original do result[name] = value end
  return result
end

local function without(original, ...)
  local result = copy(original)
  for _, name in ipairs { ... } do result[name] = nil end
  return result
end

string.dump = nil
package.loadlib, package.cpath = nil, ""
getmetatable("").__metatable = false

local library = copy(scripts)         -- its `_G` stays the globals of scripts: that is where models are looked up
local _ENV = library                  -- from here on nothing below reads a name that a script can change
os = without(os, "execute", "exit")
io = without(io, "popen")

--- Source text only, for the library too: model files and migrations are scripts.
function load(chunk, name, _, ...) return load_any(chunk, name, "t", ...) end
function loadfile(path, _, ...) return loadfile_any(path, "t", ...) end
function dofile(path) return assert(loadfile(path))() end

package.searchers[3] = function(name)
  local path, why = package.searchpath(name, package.path)
  if not path then return why end
  return assert(loadfile(path)), path
end
package.searchers[4], package.searchers[5] = nil, nil

for _, name in ipairs(OPEN) do scripts[name] = copy(library[name]) end
for _, name in ipairs(CLOSED) do scripts[name] = nil end
scripts.load = load
scripts.debug = { traceback = debug.traceback }
scripts.package = { path = package.path, config = package.config }
scripts.os = {}
for _, name in ipairs(OS) do scripts.os[name] = os[name] end

local standard = { _G = true, package = true, os = true, io = true, debug = true }
for _, name in ipairs(OPEN) do standard[name] = true end

--- A standard library by its name is the one that scripts see.
function scripts.require(name)
  if not standard[name] then return require(name) end
  local value = scripts[name]
  if value == nil then error(("module '%s' is not open to scripts"):format(name), 2) end
  return value
end

--- Finalizers would run outside every limit.
function scripts.setmetatable(value, metatable)
  if type(metatable) == "table" and rawget(metatable, "__gc") ~= nil then
    error("__gc is not open to scripts", 2)
  end
  return setmetatable(value, metatable)
end

--- What is raised when the instructions are used up is raised where no more are counted: no place for a script.
function scripts.xpcall(body, handler, ...)
  if type(handler) ~= "function" then return xpcall(body, handler, ...) end
  return xpcall(body, function(e)
    if exhausted() then return e end
    return handler(e)
  end, ...)
end

--- The hook that counts instructions sees nothing of a coroutine's first ones.
function scripts.coroutine.create(body)
  charge()
  return coroutine.create(body)
end

function scripts.coroutine.wrap(body)
  charge()
  return coroutine.wrap(body)
end

return library
