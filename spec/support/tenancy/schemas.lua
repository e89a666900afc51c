--- tenancy.schemas: a PostgreSQL database of a spec's own, with a folder of migrations, for tenants with schemas.
local Folder = require "spec.support.migration_folder"
local core = require "rille.core"
local rille = require "rille"

local Schemas = {}
Schemas.__index = Schemas

local URL <const> = os.getenv "RILLE_SPEC_URL"

local function administer(sql)
  local admin <close> = core.open { driver = "postgres", url = URL }
  admin:execute(sql)
end

--- Make one, and say that tenants have schemas in it.
---@param more? table  of the configuration's tenancy
function Schemas.new(more)
  local folder = Folder.new()
  local name = "spec_tenants_" .. folder.root:gsub("%W", ""):lower()
  administer("create database " .. name)
  local self = setmetatable({ folder = folder, name = name, url = URL:gsub("/[%w_]+%f[?\0]", "/" .. name, 1) }, Schemas)
  self:configure(more)
  return self
end

--- Say it anew.
---@param more? table  of the configuration's tenancy
---@param main? table  of the connection
function Schemas:configure(more, main)
  local tenancy, settings = { strategy = "schema" }, { url = self.url }
  for key, value in pairs(more or {}) do tenancy[key] = value end
  for key, value in pairs(main or {}) do settings[key] = value end
  rille.configure { connections = { main = settings }, tenancy = tenancy, models = self.folder.root .. "/none",
    migrations = self.folder.root .. "/migrations" }
end

--- Another connection to the database, of which nobody knows.
function Schemas:beside() return core.open { driver = "postgres", url = self.url } end

function Schemas:close()
  rille.tenant.clear()
  rille.close()
  require "rille.config".clear()
  require "rille.model".forget_all()
  self.folder:close()
  administer(("drop database %s with (force)"):format(self.name))
end

return Schemas
