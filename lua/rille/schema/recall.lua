--- recall: a blueprint out of the picture of a table: what words would make it, and what no word can say.
local Name = require "rille.schema.name"

local M = {}

---@class rille.Recalled: rille.Blueprint
---@field unsaid string[]  what of the table no word says, as sentences

local function literal_default(column, recall, sql)
  local bare = sql:match "^%((.*)%)$" or sql
  if recall.is_now(sql, column) then
    column.default_now = true
    return
  end
  local value = recall.default(sql, column)
  if value ~= nil and pcall(require "rille.schema.value".check, "default", column, value) then
    column.default = value
  else
    column.default_sql = bare
  end
end

local function add_checks(column, recall, checks)
  for _, sql in ipairs(checks) do
    local own = recall.own_check(sql, column)
    if type(own) == "table" then
      column.word, column.values = "enum", own
    elseif not own then
      table.insert(column.checks, sql)
    end
  end
end

local function column_of(each, picture, recall, unsaid)
  local column = recall.type(each.type)
  local is_key = #picture.primary == 1 and Name.same(picture.primary[1], each.name)
  if not column or each.generated then
    unsaid[#unsaid + 1] = ("the column %s: %s"):format(Name.quote(each.name), each.generated and "it is generated"
      or "no word makes the type " .. each.type)
    return nil
  end
  column.name, column.nullable, column.checks, column.comment = each.name, each.nullable and not is_key, {}, each.remark
  if each.auto and is_key then
    column.word, column.type, column.auto, column.primary = "id", "integer", true, true
    return column
  end
  column.primary = is_key or nil
  add_checks(column, recall, each.checks)
  if each.default then literal_default(column, recall, each.default) end
  local key = each.reference
  if key then
    column.references = { table = key.table, column = key.references[1], on_delete = key.on_delete,
      on_update = key.on_update }
    if key.deferrable then unsaid[#unsaid + 1] = ("the foreign key of %s is deferrable"):format(each.name) end
  end
  return column
end

local function index_of(each, table_name, unsaid)
  if #each.columns == 0 then
    unsaid[#unsaid + 1] = ("an index: %s"):format(each.sql)
    return nil
  end
  local names = {}
  for i, part in ipairs(each.columns) do names[i] = part[1] end
  local derived = Name.derived(table_name, names, each.unique and "unique" or "index")
  local name = not each.constraint and each.name or derived
  return { kind = "index", name = name, unique = each.unique, columns = each.columns, where = each.where,
    named = name ~= derived }
end

--- The blueprint of a table that is there.
---@param engine rille.SchemaEngine
---@param picture rille.Picture
---@return rille.Recalled
function M.blueprint(engine, picture)
  local recall, unsaid = engine.recall(), {}
  local blueprint = { table = picture.name, columns = {}, primary = picture.primary, indexes = {}, foreign = {},
    checks = {}, unsaid = unsaid }
  for _, each in ipairs(picture.columns) do
    blueprint.columns[#blueprint.columns + 1] = column_of(each, picture, recall, unsaid)
  end
  for _, each in ipairs(picture.indexes) do
    blueprint.indexes[#blueprint.indexes + 1] = index_of(each, picture.name, unsaid)
  end
  for _, key in ipairs(picture.foreign) do
    if key.deferrable then
      unsaid[#unsaid + 1] = ("the foreign key of %s is deferrable"):format(table.concat(key.columns, ", "))
    end
    table.insert(blueprint.foreign, { kind = "foreign", columns = key.columns, table = key.table,
      references = key.references, on_delete = key.on_delete, on_update = key.on_update, name = key.name })
  end
  for _, check in ipairs(picture.checks) do
    table.insert(blueprint.checks, { kind = "check", sql = check.sql, name = check.name })
  end
  return blueprint
end

return M
