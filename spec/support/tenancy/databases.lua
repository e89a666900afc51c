--- tenancy.databases: databases at a PostgreSQL server for the tenants of a spec, with a folder of migrations.
local Folder = require "spec.support.migration_folder"
local core = require "rille.core"
local rille = require "rille"

local Databases = {}
Databases.__index = Databases

local URL <const> = os.getenv "RILLE_SPEC_URL"

--- The URL of another database at the server.
function Databases.url(name) return (URL:gsub("/[%w_]+%f[?\0]", function() return "/" .. name end, 1)) end

--- Make a folder, and say that tenants have databases of their own, called after it.
function Databases.new()
  local folder = Folder.new()
  local self = setmetatable({ folder = folder, prefix = "spec_" .. folder.root:gsub("%W", ""):lower() .. "_" },
    Databases)
  self.begun = {}                                          -- names of databases that this process began to make
  self.unheard = rille.on("query", function(info)
    local name = info.sql:match '^create database "(rille_new_[^"]+)"'
    if name then self.begun[#self.begun + 1] = name end
  end)
  self:configure()
  return self
end

--- Say it anew.
---@param more? table         of the configuration's tenancy
---@param connections? table  beside that to the server
function Databases:configure(more, connections)
  local tenancy = { strategy = "database", pattern = self.url(self.prefix .. "{slug}") }
  for key, value in pairs(more or {}) do tenancy[key] = value end
  local all = { main = { url = URL } }
  for name, settings in pairs(connections or {}) do all[name] = settings end
  rille.configure { default = "main", connections = all, tenancy = tenancy, models = self.folder.root .. "/none",
    migrations = self.folder.root .. "/migrations" }
end

--- Run statements at the server, or read the rows of the last one.
function Databases.administer(sql, ...)
  local admin <close> = core.open { driver = "postgres", url = URL }
  return (admin:query(sql, { ... }))
end

--- Names of the spec's databases, and of those that are being made.
function Databases:names()
  return self.administer([[select string_agg(replace(datname, $1, ''), ' ' order by datname collate "C") as names
    from pg_database where starts_with(datname, $1) or datname = any(string_to_array($2, ' '))]], self.prefix,
    table.concat(self.begun, " "))[1].names or ""
end

function Databases:close()
  self.unheard()
  rille.tenant.clear()
  rille.close()
  require "rille.config".clear()
  require "rille.model".forget_all()
  self.folder:close()
  for _, row in ipairs(self.administer("select datname::text as name from pg_database where starts_with(datname, $1)",
    self.prefix)) do
    self.administer(('drop database "%s" with (force)'):format(row.name))
  end
end

return Databases
