--- pooled: handles of databases whose connections come from the pool, so that there may be any number of them.
-- Such a handle has a file open only while it is used, and for a while after; see core/run/pool.h.
local core = require "rille.core"
local Config = require "rille.config"
local Error = require "rille.error"
local Handle = require "rille.handle"
local Kept = require "rille.kept"
local copy = require "rille.copy"

local M = {}

local POOL = { max = 500, wait_ms = 5000, idle_ms = 60000 }
local OF_SERVER_MAX <const> = 20        -- by default a server has 100 connections, for all its programs together

-- How a database is opened, where that is not said with it: as the default database is.
local AS_DEFAULT = { "synchronous", "journal_mode", "foreign_keys", "busy_timeout_ms", "mmap_bytes", "cache_kib",
  "pragmas" }

---@class rille.Registry
---@field of table|nil          the configuration that it was filled under
---@field kept rille.Kept
local Registry = {}
Registry.__index = Registry

local registries = {}

--- Do tenants have connections to servers, as far as can be told?
local function is_at_server(config)
  local tenancy = config.tenancy
  if not tenancy then return false end
  local pattern, default = tenancy.pattern, config.connections[tenancy.fallback or config.default]
  return tenancy.strategy == "schema" or type(pattern) == "string" and pattern:find "^%a[%w+.-]+://" ~= nil
    or type(pattern) == "function" and default ~= nil and default.driver == "postgres"
end

local function configure(config)
  local given, pool = config.tenancy and config.tenancy.pool or {}, {}
  for key, normal in next, POOL do pool[key] = given[key] or normal end
  if is_at_server(config) then pool.max = given.max or OF_SERVER_MAX end
  core.pool_configure(pool)
end

local function close_all(kept)
  for _, handle in next, kept:clear() do handle:close() end
end

--- A registry of handles by name; emptied when the configuration changes or rille.close() is called.
---@return rille.Registry
function M.registry()
  local registry = setmetatable({ kept = Kept.new(POOL.max) }, Registry)
  registries[#registries + 1] = registry
  return registry
end

--- The handle of that name, if it is known and open.
---@param name string
---@return rille.Handle?
function Registry:get(name)
  local config = Config.current()
  if config ~= self.of then
    if self.of then close_all(self.kept) end
    self.of = config
    configure(config)
  end
  local handle = self.kept:get(name)
  if handle and not handle.closed then return handle end
end

--- Settings of a pooled connection to a path.
---@param path string
---@return table
function M.settings(path)
  local config = Config.current()
  local default = config.connections[config.tenancy and config.tenancy.fallback or config.default]
  local settings = { driver = "sqlite", database = path, pooled = true }
  if default and default.driver == "sqlite" then
    for _, key in ipairs(AS_DEFAULT) do settings[key] = default[key] end
  end
  return settings
end

--- A new handle of that name.
---@param name string
---@param path string
---@param options? table  settings of a connection that differ from those of the default one
---@return rille.Handle
function Registry:add(name, path, options)
  return self:keep(name, Handle.new(name, copy(M.settings(path), options)))
end

--- Hold a handle under that name.
---@param name string
---@param handle rille.Handle
---@return rille.Handle handle
function Registry:keep(name, handle)
  self.kept:put(name, handle)
  return handle
end

--- Close the handle of that name and forget it.
---@param name string
function Registry:drop(name)
  local handle = self.kept:get(name)
  self.kept:forget(name)
  if handle then handle:close() end
end

--- Close every handle.
function M.reset()
  for _, registry in ipairs(registries) do
    close_all(registry.kept)
    registry.of = nil
  end
end

--- Two digits that spread files over 256 folders.
---@param name string
---@return string
function M.hash(name) return core.checksum(name):sub(1, 2) end

local Passing = { __close = function(self) core.remove_file(self.path) end }

--- A file beside another one, of a name that nobody else has; one of that name is removed when the value is closed.
---@param path string
---@return { path: string }
function M.beside(path)
  return setmetatable({ path = ("%s/.%s.tmp"):format(path:match "^(.*)/" or ".",
    core.checksum(path .. core.now() .. tostring {}):sub(1, 24)) }, Passing)
end

--- Give a finished file its name; where that is taken `not_unique` is raised.
---@param from string
---@param to string
---@param what string  for the message: 'a database "x"'
function M.publish(from, to, what)
  local ok, why, taken = core.publish_file(from, to)
  if ok then return end
  if taken then Error.raise("not_unique", what .. " is there already", { hint = "choose another name, or drop it" }) end
  Error.raise("readonly", "cannot make " .. why)
end

--- Each database has a history of its own, by which the tokens of sessions know it: a new one begins without.
---@param path string
function M.forget_history(path)
  local db <close> = core.open { database = path }
  for _, name in ipairs { "rille_history", "rille_epochs", "rille_era" } do
    db:execute("drop table if exists " .. name)
  end
end

--- Copy a database, at one moment, to a path at which there is none.
---@param handle rille.Handle
---@param path string
---@param what string  as in publish
function M.copy(handle, path, what)
  if core.file_size(path) then Error.raise("not_unique", what .. " is there already", { hint = "drop it first" }) end
  M.make_folder(path)
  local new <close> = M.beside(path)
  handle:_execute("vacuum into ?", new.path)
  require "rille.mirror".not_of_a_copy(new.path)
  M.forget_history(new.path)
  M.publish(new.path, path, what)
end

--- Make the folder of a file, with those above it.
---@param path string
function M.make_folder(path)
  local at = 1
  while true do
    local slash = path:find("/", at, true)
    if not slash then return end
    if slash > 1 then
      local made, why = core.make_directory(path:sub(1, slash - 1))
      if not made then Error.raise("readonly", "cannot make the folder " .. why) end
    end
    at = slash + 1
  end
end

return M
