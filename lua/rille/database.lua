--- database: the handles of the configured connections, one for each name, made when they are asked for.
local Error = require "rille.error"
local Config = require "rille.config"
local Handle = require "rille.handle"

local M = {}

local handles = {}                -- name -> handle
local closed = false              -- rille.close() was called, and nothing was connected since

local function no_connection(config, name)
  local names = {}
  for known in next, config.connections do names[#names + 1] = known end
  if #names == 0 then
    Error.raise("invalid_argument", "no database is configured", {
      hint = 'rille.connect "app.db", rille.configure "rille.config.lua", or DATABASE_URL says which one',
    })
  end
  table.sort(names)
  Error.unknown("invalid_argument", "connection", name, names, "the configuration")
end

--- The handle of a configured connection; the same one each time.
---@param name? string  absent: the current tenant's database where each has its own, else the default connection
---@return rille.Handle
function M.get(name)
  if closed then
    Error.raise("invalid_argument", "rille.close() ended all connections", { hint = "rille.connect begins anew" })
  end
  local config = Config.current()
  if name == nil then
    if config.tenancy and require "rille.tenant.home".decides() then return require "rille.tenant.home".handle() end
    name = config.default
  end
  local handle = handles[name]
  if handle then return handle end
  if type(name) ~= "string" then Error.argument("db", "the name of a connection", name) end
  local settings = config.connections[name]
  if not settings then no_connection(config, name) end
  handle = Handle.new(name, settings)
  handles[name] = handle
  return handle
end

--- The handles of which a database is open, in order of their names.
---@return rille.Handle[]
function M.opened()
  local list = {}
  for _, name in ipairs(require "rille.keys"(handles)) do
    if handles[name]._core then list[#list + 1] = handles[name] end
  end
  return list
end

--- Close every handle; the next one asked for is a new one.
function M.reset()
  local old = handles
  local session = package.loaded["rille.session"]
  if session then session.closing() end
  handles, closed = {}, false
  for _, handle in next, old do handle:close() end
  local pooled = package.loaded["rille.pooled"]          -- not loaded: it has nothing to close
  if pooled then pooled.reset() end
  if package.loaded["rille.mirror"] then require "rille.core".mirror_settle() end
end

--- rille.close: end all connections.  Whoever goes on using them is told so, until connect or configure says where to.
function M.close()
  M.reset()
  closed = true
end

return M
