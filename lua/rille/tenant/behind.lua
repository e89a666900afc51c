--- tenant.behind: views and the like, behind which there may be tables whose rows belong to tenants.
-- What such a thing reads and writes is told by names in its SQL, in that of its triggers, and in that of other views
-- that it names.  A name counts wherever it stands, even in a remark: better one view too many than a row too many.
local Error = require "rille.error"
local Guard = require "rille.guard"
local Tenant = require "rille.tenant"

local M = {}

-- Tables in which virtual tables keep what they hold are called after these with one of these endings.
local SHADOWS <const> = {}
for _, ending in ipairs { "data", "idx", "content", "docsize", "config", "segments", "segdir", "stat", "node", "rowid",
  "parent" } do
  SHADOWS[ending] = true
end

-- All that is no table: views, virtual tables, triggers.
local OBJECTS <const> = "select type, name, tbl_name, sql from sqlite_schema where rootpage = 0 or rootpage is null"

--- SQL in small letters and with blanks for quotes, so that a name reads the same however it is written.
local function plain(text) return (text:lower():gsub("[\"'`%[%]]+", " ")) end

--- Is the name in the text, as a whole word?  What a virtual table keeps counts as itself.
local function names(text, name, virtual)
  local from = 1
  while true do
    local first, last = text:find(name, from, true)
    if not first then return false end
    if not text:find("^[%w_]", first - 1 > 0 and first - 1 or #text + 1) and (not text:find("^[%w_]", last + 1)
      or virtual and text:find("^_", last + 1)) then
      return true
    end
    from = first + 1
  end
end

--- What the database holds beside tables, by name: { name =, virtual =, text = all SQL that acts when it is used }.
--- Of other databases than SQLite nothing is known: nil.
local function objects_of(handle)
  if handle.driver ~= "sqlite" then return nil end
  local rows, list, by_name = handle:connect():query(OBJECTS), {}, {}
  for _, row in ipairs(rows) do
    if row.type ~= "trigger" then
      local object = { name = plain(row.name), virtual = row.type == "table", text = plain(row.sql or "") }
      list[#list + 1], by_name[row.name] = object, object
    end
  end
  for _, row in ipairs(rows) do
    if row.type == "trigger" then
      local text = plain(row.sql or "")
      for _, object in ipairs(list) do
        -- The triggers of a table may fill a virtual one with its rows.
        if plain(row.tbl_name) == object.name or object.virtual and names(text, object.name, true) then
          object.text = object.text .. "\n" .. text
        end
      end
    end
  end
  return { list = list, by_name = by_name }
end

--- The object of that name, or the virtual table that keeps what it holds in the table of that name.
local function object_at(objects, name)
  local owner, ending = name:match "^(.+)_(%l+)$"
  local shadowed = SHADOWS[ending] and objects.by_name[owner]
  return objects.by_name[name] or shadowed and shadowed.virtual and shadowed or nil
end

--- All that acts when an object is used: the set of it and of what it names.
local function reached(objects, object, set)
  if set[object] then return set end
  set[object] = true
  for _, other in ipairs(objects.list) do
    if names(object.text, other.name, other.virtual) then reached(objects, other, set) end
  end
  return set
end

--- The guards of tables that the object of that name reads or writes; all there are where nothing is known of it.
local function guards_behind(handle, objects, name)
  local object, found = objects and object_at(objects, name), {}
  if objects and not object then return found end
  local set = object and reached(objects, object, {}) or { { text = "" } }
  for _, class in next, require "rille.model".declared do
    local guard = class._def.guard
    if guard and Guard.is_in(guard, handle) then
      for each in next, set do
        if not object or names(each.text, plain(guard.table)) then
          found[#found + 1] = guard
          break
        end
      end
    end
  end
  table.sort(found, function(a, b) return a.model < b.model end)
  return found
end

--- The same, kept until the schema, the models or the configuration change.
local function kept_guards(handle, name)
  local models, default = require "rille.model".generation, require "rille.config".current().default
  local kept = handle.behind
  if not kept or kept.version ~= handle.version or kept.models ~= models or kept.default ~= default then
    kept = { version = handle.version, models = models, default = default, objects = objects_of(handle), guards = {} }
    handle.behind = kept
  end
  local guards = kept.guards[name]
  if not guards then
    guards = guards_behind(handle, kept.objects, name)
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
  local is_table = description.kind == "table" and not (description.sql or ""):find "^CREATE VIRTUAL"
  local is_shadow = handle.driver == "sqlite" and SHADOWS[name:match "_(%l+)$"]
  if handle.tenant or is_table and not is_shadow then return nil end
  if not all then return function() return check(handle, name) end end
  return function()
    Guard.load_models()
    if #kept_guards(handle, name) > 0 then Guard.told("table", nil, name) end
  end
end

return M
