--- sqlite.picture: what a table is, told so that two can be compared, whatever the words that made it.
local Definition = require "rille.schema.sqlite.definition"
local Name = require "rille.schema.name"
local Ddl = require "rille.schema.sqlite.ddl"

local M = {}

---@class rille.PictureColumn
---@field name string
---@field type string          as declared
---@field nullable boolean
---@field auto boolean         counted up
---@field rowid boolean        the key that SQLite numbers by itself, so never NULL
---@field default? string      SQL
---@field collate? string      SQL
---@field generated? string    SQL
---@field checks string[]      conditions in SQL
---@field reference? rille.PictureKey  a foreign key of this column alone
---@field remark? string

---@class rille.PictureKey
---@field columns string[]
---@field table string
---@field references string[]  none: the primary key there
---@field on_delete? string
---@field on_update? string
---@field deferrable boolean

---@class rille.PictureIndex
---@field name string          "" of a unique constraint without one
---@field unique boolean
---@field constraint boolean   a constraint of the table, not made by CREATE INDEX
---@field columns { [1]: string, [2]: string? }[]
---@field where? string        SQL
---@field sql? string          of an index over expressions, which has no columns

---@class rille.Picture
---@field name string
---@field columns rille.PictureColumn[]
---@field primary string[]
---@field foreign rille.PictureKey[]  of several columns
---@field checks { sql: string, name: string? }[]
---@field indexes rille.PictureIndex[]
---@field tail string

--- What stands behind the first word of a clause, without the parentheses if these are all of it.
local function behind(clause, word)
  local text = clause.text:sub(#word + 1):match "^%s*(.-)%s*$"
  return text
end

local function condition(clause)
  local inner = clause.text:match "^%a+%s*(%b())"
  return inner:sub(2, -2):match "^%s*(.-)%s*$"
end

local function action(clause, event)
  local rest = clause.text:lower()
  local word = rest:match("on%s+" .. event .. "%s+(%a+)")
  if word ~= "set" and word ~= "no" then return word end
  return (rest:match("on%s+" .. event .. "%s+(%a+%s+%a+)"):gsub("%s+", " "))
end

local function key_of(clause, columns)
  local quiet = { text = clause.text:gsub('"[^"]*"', '""') }
  local deferred = quiet.text:lower():find "deferrable" ~= nil and not quiet.text:lower():find "not%s+deferrable"
  local delete, update = action(quiet, "delete"), action(quiet, "update")
  return {
    columns = columns, table = clause.table, references = clause.references or {}, deferrable = deferred,
    on_delete = delete ~= "no action" and delete or nil, on_update = update ~= "no action" and update or nil,
  }
end

-- Kind of clause of a column -> what it says of it.
local OF_COLUMN = {
  primary = function(picture, column, clause)
    picture.primary = { column.name }
    column.auto = clause.auto or false
  end,
  ["not null"] = function(_, column) column.nullable = false end,
  unique = function(picture, column, clause)
    table.insert(picture.indexes, { name = clause.name or "", unique = true, constraint = true,
      columns = { { column.name } } })
  end,
  check = function(_, column, clause) table.insert(column.checks, condition(clause)) end,
  default = function(_, column, clause) column.default = behind(clause, "default") end,
  collate = function(_, column, clause) column.collate = behind(clause, "collate") end,
  generated = function(_, column, clause) column.generated = clause.text end,
  references = function(_, column, clause) column.reference = key_of(clause, { column.name }) end,
}

local function parts_of(columns)
  local parts = {}
  for i, name in ipairs(columns) do parts[i] = { name } end
  return parts
end

local function column_named(picture, name)
  for _, column in ipairs(picture.columns) do
    if Name.same(column.name, name) then return column end
  end
end

-- Kind of constraint of a table -> what it says.
local OF_TABLE = {
  primary = function(picture, clause) picture.primary = clause.columns end,
  unique = function(picture, clause)
    table.insert(picture.indexes, { name = clause.name or "", unique = true, constraint = true,
      columns = parts_of(clause.columns) })
  end,
  check = function(picture, clause) table.insert(picture.checks, { sql = condition(clause), name = clause.name }) end,
  foreign = function(picture, clause)
    local key = key_of(clause, clause.columns)
    local column = #key.columns == 1 and column_named(picture, key.columns[1])
    if column and not column.reference then column.reference = key else table.insert(picture.foreign, key) end
  end,
}

local function of_definition(definition)
  local picture = { name = definition.name, columns = {}, primary = {}, foreign = {}, checks = {}, indexes = {},
    tail = definition.tail:lower() }
  for i, each in ipairs(definition.columns) do
    local column = { name = each.name, type = each.type, nullable = true, auto = false, rowid = false, checks = {},
      remark = each.remarks and each.remarks[1] }
    picture.columns[i] = column
    for _, clause in ipairs(each.clauses) do
      local take = OF_COLUMN[clause.kind]
      if take then take(picture, column, clause) end
    end
  end
  for _, clause in ipairs(definition.constraints) do
    local take = OF_TABLE[clause.kind]
    if take then take(picture, clause) end
  end
  local key = #picture.primary == 1 and column_named(picture, picture.primary[1])
  if key and key.type:lower() == "integer" then key.rowid, key.nullable = true, false end
  return picture
end

--- The picture of a table that is to be made.
---@param blueprint rille.Blueprint
---@return rille.Picture
function M.of_blueprint(blueprint)
  -- By its text, so that both pictures come the same way.
  local picture = of_definition(Definition.parse(Definition.render(Ddl.definition(blueprint))))
  for _, index in ipairs(blueprint.indexes) do
    table.insert(picture.indexes, { name = index.name, unique = index.unique, constraint = false,
      columns = index.columns, where = Ddl.covered_rows(index) })
  end
  return picture
end

--- Which rows an index covers; nil for all.
local function covered(index)
  if not index.partial then return nil end
  return index.sql:match "%)%s*[Ww][Hh][Ee][Rr][Ee]%s+(.*)$" or Definition.condition_of_index(index.sql)
end

local function read_parts(run, index)
  local parts = {}
  for i, row in ipairs(run:rows([[select name as name, "desc" as descending from pragma_index_xinfo(?)
      where "key" = 1 order by seqno]], index.name)) do
    if not row.name then return {} end
    parts[i] = { row.name, row.descending == 1 and "desc" or nil }
  end
  return parts
end

--- A foreign key that names no columns means the primary key of its table.
local function complete_keys(run, picture)
  local keys = table.move(picture.foreign, 1, #picture.foreign, 1, {})
  for _, column in ipairs(picture.columns) do keys[#keys + 1] = column.reference end
  for _, key in ipairs(keys) do
    if #key.references == 0 then
      for i, row in ipairs(run:rows("select name from pragma_table_info(?) where pk > 0 order by pk", key.table)) do
        key.references[i] = row.name
      end
    end
  end
end

--- The picture of a table that is there.
---@param run rille.SchemaRunner
---@param current rille.CatalogTable
---@return rille.Picture
function M.of_table(run, current)
  local picture = of_definition(current.definition)
  complete_keys(run, picture)
  for _, index in ipairs(current.indexes) do
    if index.origin == "c" then
      local parts = read_parts(run, index)
      table.insert(picture.indexes, {
        name = index.name, unique = index.unique, constraint = false, columns = parts,
        where = covered(index),
        sql = #parts == 0 and index.sql or nil,
      })
    end
  end
  return picture
end

return M
