--- postgres.picture: what a table is, told so that two can be compared: both in the server's own words.
-- A table that is to be made is made, in a schema of a transaction that is rolled back, and looked at there.
local Catalog = require "rille.schema.postgres.catalog"
local Ddl = require "rille.schema.postgres.ddl"
local Find = require "rille.schema.postgres.find"
local Name = require "rille.schema.name"
local Scratch = require "rille.schema.postgres.scratch"

local M = {}

local function key_of(constraint)
  return { columns = constraint.columns, table = constraint.table, references = constraint.references,
    on_delete = constraint.on_delete, on_update = constraint.on_update, deferrable = constraint.deferrable,
    name = constraint.name }
end

local function column_of(each)
  local counted = each.identity or each.default and each.default:find "^nextval%(" ~= nil or false
  return { name = each.name, type = each.type, nullable = each.nullable, auto = counted, rowid = false,
    default = not counted and each.default or nil, collate = each.collation, generated = each.expression, checks = {},
    remark = each.comment }
end

local function own_column(table_, columns, constraint)
  for _, column in ipairs(columns) do
    if Find.own_check(table_, constraint, column.name) then return column end
  end
end

local function add_constraint(picture, table_, each)
  local column = #each.columns == 1 and Find.column(picture, each.columns[1])
  if each.kind == "primary" then
    picture.primary = each.columns
  elseif each.kind == "foreign" then
    if column and not column.reference then
      column.reference = key_of(each)
    else
      table.insert(picture.foreign, key_of(each))
    end
  elseif each.kind == "check" then
    local own = own_column(table_, picture.columns, each)
    if own then
      table.insert(own.checks, each.condition)
    else
      table.insert(picture.checks, { sql = each.condition, name = each.name })
    end
  end
end

local function add_index(picture, each)
  if each.origin == "pk" then return end
  local parts = {}
  for i, name in ipairs(each.columns) do
    if not name then parts = {} break end
    parts[i] = { name, each.descending[i] and "desc" or nil }
  end
  if not each.plain then parts = {} end
  table.insert(picture.indexes, { name = each.name, unique = each.unique, constraint = each.origin == "u",
    columns = parts, where = each.where, sql = #parts == 0 and each.sql or nil })
end

--- The picture of a table that is there.
---@param table_ rille.PostgresTable
---@return rille.Picture
function M.of_table(table_)
  local picture = { name = table_.name, columns = {}, primary = {}, foreign = {}, checks = {}, indexes = {}, tail = "" }
  for i, each in ipairs(table_.columns) do picture.columns[i] = column_of(each) end
  for _, each in ipairs(table_.constraints) do add_constraint(picture, table_, each) end
  for _, each in ipairs(table_.indexes) do add_index(picture, each) end
  return picture
end

--- The foreign keys of a blueprint, as statements that add them to a table without any.
---@param blueprint rille.Blueprint
---@return string[] statements
function M.keys_of(blueprint)
  local statements = {}
  local function add(key)
    statements[#statements + 1] = ("alter table %s add %s"):format(Name.quote(blueprint.table),
      Ddl.constraint(key, blueprint.table, {}))
  end
  for _, column in ipairs(blueprint.columns) do
    if column.references then add(Ddl.foreign_of(column, blueprint.table)) end
  end
  for _, key in ipairs(blueprint.foreign) do add(key) end
  return statements
end

--- The same blueprint without its foreign keys.
---@param blueprint rille.Blueprint
---@return rille.Blueprint
function M.without_keys(blueprint)
  local columns = {}
  for i, column in ipairs(blueprint.columns) do
    columns[i] = setmetatable({ references = false }, { __index = column })
  end
  return setmetatable({ columns = columns, foreign = {} }, { __index = blueprint })
end

--- The pictures of tables that are to be made; they may refer to each other and to those that are there.
---@param run rille.PostgresRunner
---@param blueprints rille.Blueprint[]
---@return table<string, rille.Picture> by_name
function M.of_blueprints(run, blueprints)
  local pictures = {}
  Scratch.within(run.handle, function()
    for _, blueprint in ipairs(blueprints) do
      for _, sql in ipairs(Ddl.create(M.without_keys(blueprint))) do run:execute(sql) end
    end
    for _, blueprint in ipairs(blueprints) do
      for _, sql in ipairs(M.keys_of(blueprint)) do run:execute(sql) end
    end
    for _, blueprint in ipairs(blueprints) do
      pictures[blueprint.table] = M.of_table(Catalog.table(run, blueprint.table))
    end
  end)
  return pictures
end

return M
