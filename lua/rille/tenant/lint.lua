--- tenant.lint: what in a schema lets tenants meet: indexes and keys that leave the tenant out, tables and models that
-- say different things.
local Apart = require "rille.tenant.apart"
local Engine = require "rille.schema.engine"
local Name = require "rille.schema.name"
local Owner = require "rille.schema.tenant"

local M = {}

---@class rille.LintFinding
---@field kind string     what is wrong, in one word
---@field table string
---@field model? string
---@field column? string
---@field index? string
---@field trigger? string
---@field message string
---@field hint string     what to do

local function has(list, name)
  for _, each in ipairs(list) do
    if Name.same(each, name) then return true end
  end
  return false
end

local function column_of(description, name)
  for _, each in ipairs(description.columns) do
    if Name.same(each.name, name) then return each end
  end
end

--- Keys that a database made up are no matter of a tenant; those with a meaning are.
local function is_made_up(description)
  local primary = description.primary
  local column = #primary == 1 and column_of(description, primary[1])
  return not column or column.type == "integer" or column.type == "uuid"
end

--- What is known of a table: its description, its models, and the tenant's column by either of them.
local function look_at(handle, name)
  local description, tenant = handle:describe(name), nil
  local models = {}
  for _, class in ipairs(require "rille.model".on_table[name] or {}) do
    if require "rille.guard".leads_to(class._def.connection, handle) then
      models[#models + 1] = class
      tenant = tenant or class._def.tenant_column
    end
  end
  return { name = name, description = description, models = models, said = tenant,
    tenant = tenant or Owner.column_of(description) }
end

-- -- the checks -----------------------------------------------------------------------------------------------------

local function check_models(add, tables, columns)
  for _, each in ipairs(tables) do
    for _, class in ipairs(each.models) do
      local column = class._def.tenant_column
      if column and not column_of(each.description, column) then
        add("no_column", each, { model = class._def.name, column = column,
          message = ("%s says tenant_column = %q, which the table does not have"):format(class._def.name, column),
          hint = ('t:references("%s", …):tenant() in a migration makes it'):format((column:gsub("_id$", ""))) })
      elseif each.said and not column then
        add("no_model", each, { model = class._def.name, column = each.said,
          message = ("%s does not say tenant_column = %q, and another model of the table does"):format(class._def.name,
            each.said), hint = "without it every tenant sees all rows" })
      end
    end
    for column in next, each.said and {} or columns do
      if column_of(each.description, column) and not Name.same(each.name, column) then
        local model = each.models[1] and each.models[1]._def.name
        add("no_model", each, { model = model, column = column,
          message = model and ("%s does not say tenant_column = %q, and the table has it"):format(model, column)
            or ("no model says whose the rows are, and the table has the column %q"):format(column),
          hint = "without it every tenant sees all rows" })
      end
    end
  end
end

local function check_apart(add, each, handle)
  local alike = Apart.alike(handle, each.description, each.tenant)
  for _, class in ipairs(each.models) do
    alike = alike or Apart.alike(handle, each.description, each.tenant, class._def.casts[each.tenant])
  end
  if not alike then return end
  local message, hint = Apart.words(each.tenant, alike)
  add("alike", each, { column = each.tenant, message = message, hint = hint })
end

local function check_column(add, each)
  local column = column_of(each.description, each.tenant)
  if not column then return end
  if not column.not_null and not has(each.description.primary, each.tenant) then
    add("nullable", each, { column = column.name, message = ("%s may be NULL"):format(column.name),
      hint = "a row without a tenant is nobody's, and never seen" })
  end
  local led = each.description.primary[1] and Name.same(each.description.primary[1], each.tenant)
  for _, index in ipairs(each.description.indexes) do
    led = led or index.columns[1] and not index.partial and Name.same(index.columns[1], each.tenant)
  end
  if not led then
    add("no_index", each, { column = column.name, message = ("no index begins with %s"):format(column.name),
      hint = "every statement of a tenant looks for it; t:unique of it and the key is what references need, too" })
  end
end

local function check_uniques(add, each)
  for _, index in ipairs(each.description.indexes) do
    local on_purpose = index.name:find "_global_unique$" or index.origin == "pk" and is_made_up(each.description)
    if index.unique and not on_purpose and not has(index.columns, each.tenant) then
      add("unique", each, { index = index.name,
        message = ("unique (%s) is so for all tenants together"):format(table.concat(index.columns, ", ")),
        hint = ("t:unique { %q, %q } is for each; { global = true } says that it is meant"):format(each.tenant,
          table.concat(index.columns, '", "')) })
    end
  end
end

local function check_references(add, each, owned, handle)
  local said = Engine.of(handle).global_columns(require "rille.schema.runner".new(handle), each.description)
  for _, key in ipairs(each.description.foreign) do
    local target = owned[key.table:lower()]
    if target and not has(key.columns, each.tenant) and not said[key.columns[1]:lower()] then
      add("references", each, { column = key.columns[1],
        message = ("%s may refer to rows of %s that are another tenant's"):format(table.concat(key.columns, ", "),
          key.table),
        hint = ("a foreign key over (%s, %s) cannot; :global() says that it is meant"):format(each.tenant,
          table.concat(key.columns, ", ")) })
    end
  end
end

local function has_word(text, word)
  return text:find("%f[%w_]" .. word:lower():gsub("%W", "%%%0") .. "%f[^%w_]") ~= nil
end

--- What a trigger does rille does not see.  One that touches rows of tenants has to say whose: by their column, and by
--- the row that it was called for.
local function check_triggers(add, owned, handle)
  for _, trigger in ipairs(require "rille.tenant.behind".triggers(handle)) do
    local of_row = trigger.text:find "%f[%w_]new%s*%." or trigger.text:find "%f[%w_]old%s*%."
    for _, name in ipairs(require "rille.keys"(owned)) do
      local each = owned[name]
      if has_word(trigger.text, name) and not (of_row and has_word(trigger.text, each.tenant)) then
        add("trigger", { name = trigger.table }, { trigger = trigger.name, column = each.tenant,
          message = ("the trigger %s touches %s and does not say whose rows"):format(trigger.name, each.name),
          hint = ("nobody else asks inside a trigger: compare %s with what new or old has"):format(each.tenant) })
      end
    end
  end
end

--- Where the database itself is to keep tenants apart, and does not.
local function check_wall(findings, handle)
  local Wall = require "rille.tenant.wall"
  if not Wall.is_at(handle) then return end
  for _, fault in ipairs(Wall.faults(handle:_connect(), Wall.guards(handle.name))) do
    findings[#findings + 1] = { kind = fault.table and "no_policy" or "role", table = fault.table or "(all)",
      message = fault.message, hint = fault.hint }
  end
end

--- What lets tenants meet in a database.
---@param handle? rille.Handle  the default connection when absent
---@return rille.LintFinding[]
function M.run(handle)
  handle = handle or require "rille.database".get()
  require "rille.autoload".load_once()
  local findings, tables, columns, owned = {}, {}, {}, {}
  local function add(kind, each, finding)
    finding.kind, finding.table = kind, each.name
    findings[#findings + 1] = finding
  end
  for _, name in ipairs(handle:tables()) do
    local each = look_at(handle, name)
    if each.description.kind == "table" then
      tables[#tables + 1] = each
      if each.tenant then columns[each.tenant], owned[name:lower()] = true, each end
    end
  end
  check_models(add, tables, columns)
  for _, each in ipairs(tables) do
    if each.tenant and column_of(each.description, each.tenant) then
      check_apart(add, each, handle)
      check_column(add, each)
      check_uniques(add, each)
      check_references(add, each, owned, handle)
    end
  end
  check_triggers(add, owned, handle)
  check_wall(findings, handle)
  return findings
end

return M
