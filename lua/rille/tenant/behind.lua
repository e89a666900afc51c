--- tenant.behind: views and the like, behind which there may be tables whose rows belong to tenants.
-- How that is found out differs between databases: see the folder of this name.
local Error = require "rille.error"
local Guard = require "rille.guard"
local Tenant = require "rille.tenant"

local M = {}

--- What is otherwise on the database of a handle than on others.
local function engine_of(handle) return require("rille.tenant.behind." .. handle.driver) end

--- The guards of tables that the thing of a name reads or writes.
---@param is_behind? fun(table_name: string): boolean
local function guards_behind(handle, is_behind)
  local found = {}
  if not is_behind then return found end
  for _, class in next, require "rille.model".declared do
    local guard = class._def.guard
    if guard and Guard.is_in(guard, handle) and is_behind(guard.table) then found[#found + 1] = guard end
  end
  table.sort(found, function(a, b) return a.model < b.model end)
  return found
end

--- What was found out, kept until the schema, the models or the configuration change.
local function kept_of(handle)
  local models, default = require "rille.model".generation, require "rille.config".current().default
  local kept = handle.behind
  if not kept or kept.version ~= handle.version or kept.models ~= models or kept.default ~= default then
    kept = { version = handle.version, models = models, default = default, guards = {} }
    handle.behind = kept
  end
  return kept
end

--- The guards behind a name, kept.
local function kept_guards(handle, name)
  local kept = kept_of(handle)
  if not kept.read then kept.read, kept.behind = true, engine_of(handle).read(handle) end
  local guards = kept.guards[name]
  if not guards then
    guards = guards_behind(handle, kept.behind(name))
    kept.guards[name] = guards
  end
  return guards
end

--- Raise inside a tenant, unless the guards of all that is behind the name are lifted.
local function check(handle, name)
  Guard.load_models()
  for _, guard in ipairs(kept_guards(handle, name)) do
    if not Tenant.is_lifted(guard) then
      local tenant = Tenant.current() or {}
      Error.raise("tenant_required", ("%s: what it does with %s is not limited to the tenant %s"):format(name,
        guard.table, Error.quote(tostring(tenant.slug or tenant.id))), {
        table = name, hint = ("%s:without_tenant_scope(fn), or { all_tenants = true } behind the name in db:table, "
          .. "says that everybody's rows are meant"):format(guard.model),
      })
    end
  end
end

--- Who is asked, inside a tenant, before each statement on a thing whose rows belong to nobody: nil for a table.
---@param handle rille.Handle
---@param name string
---@param description table  as handle:describe gives it
---@param all? boolean       everybody's rows are meant
---@return function? ask
function M.ask(handle, name, description, all)
  if handle.tenant or engine_of(handle).is_plain(name, description) then return nil end
  if not all then return function() return check(handle, name) end end
  return function()
    Guard.load_models()
    if #kept_guards(handle, name) > 0 then Guard.told("table", nil, name) end
    return true
  end
end

--- Names of what shows rows of tenants that the policies of their tables do not hold for, on PostgreSQL.
---@param handle rille.Handle
---@return table<string, true>
function M.unwalled(handle)
  local kept = kept_of(handle)
  if not kept.unwalled then
    local guarded = {}
    for _, guard in ipairs(guards_behind(handle, function() return true end)) do guarded[guard.table] = true end
    kept.unwalled = engine_of(handle).unwalled(handle, guarded)
  end
  return kept.unwalled
end

--- The triggers of the tables of a database; see the folder of this name.
---@param handle rille.Handle
---@return { name: string, table: string, text: string }[]
function M.triggers(handle) return engine_of(handle).triggers(handle) end

return M
