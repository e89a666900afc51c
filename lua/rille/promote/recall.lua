--- promote.recall: a table of SQLite that no migration made, as PostgreSQL has it: out of what the catalog says, and
-- where a declared type says too little, out of what the column holds.
local Catalog = require "rille.schema.sqlite.catalog"
local Ddl = require "rille.schema.postgres.ddl"
local Engine = require "rille.schema.sqlite"
local Name = require "rille.schema.name"
local Picture = require "rille.schema.postgres.picture"
local Recall = require "rille.schema.recall"
local Words = require "rille.schema.sqlite.recall"

local M = {}

-- What a column holds -> the type that holds it, and only that.
local OF_VALUES <const> = { [""] = "TEXT", integer = "BIGINT", real = "DOUBLE", text = "TEXT", blob = "BLOB",
  ["integer,real"] = "DOUBLE" }

--- A type that migrations know, by SQLite's own rule for what a declared one means; or nil where it holds this and
--- that, and of which kinds that is.
local function known_type(run, table_name, column)
  local upper = column.type:upper()
  local measures = upper:match "^NUMERIC(%(%d+ ?, ?%d+%))$"
  if measures then return "DECIMAL" .. measures end
  if upper:find "^TIMESTAMP" then return "DATETIME" end
  if upper:find "^BOOL" then return "BOOLEAN" end
  if upper:find("INT", 1, true) then return "BIGINT" end
  if upper:find "CHAR" or upper:find "CLOB" or upper:find "TEXT" then return "TEXT" end
  if upper:find "REAL" or upper:find "FLOA" or upper:find "DOUB" then return "DOUBLE" end
  local kinds = {}
  for i, row in ipairs(run:rows(("select distinct typeof(%s) as kind from %s where %s is not null order by 1"):format(
    Name.quote(column.name), Name.quote(table_name), Name.quote(column.name)))) do
    kinds[i] = row.kind
  end
  local type = OF_VALUES[table.concat(kinds, ",")]
  return type, not type and table.concat(kinds, ", ") or nil
end

-- What SQLite writes into a column of texts for such a default; PostgreSQL would write fractions and a zone.
local MOMENTS <const> = { current_timestamp = "YYYY-MM-DD HH24:MI:SS", current_date = "YYYY-MM-DD",
  current_time = "HH24:MI:SS" }

--- The default in the words of PostgreSQL.
local function default_of(column)
  local bare, known = column.default and column.default:match "^[%s(]*([%a_]+)[%s)]*$", Words.type(column.type)
  local form = bare and known and known.type == "text" and MOMENTS[bare:lower()]
  return form and ("(to_char(now() at time zone 'UTC', '%s'))"):format(form) or column.default
end

--- Constraints that say what becomes of a row that breaks them, which PostgreSQL just refuses; and indexes that compare
--- texts otherwise than their columns do.
local function tell_unlike(run, current, picture, tell)
  local function conflicts(clauses, place)
    for _, clause in ipairs(clauses) do
      if clause.conflict and clause.conflict ~= "abort" then
        tell("definition", current.name, ("%s%s: on conflict %s"):format(place, clause.kind, clause.conflict))
      end
    end
  end
  for _, column in ipairs(current.definition.columns) do conflicts(column.clauses, column.name .. ", ") end
  conflicts(current.definition.constraints, "")
  local own = {}
  for _, column in ipairs(picture.columns) do own[column.name] = (column.collate or "binary"):lower() end
  for _, index in ipairs(current.indexes) do
    for _, part in ipairs(run:rows([[select name, coll as "collate" from pragma_index_xinfo(?)
        where "key" = 1 and name is not null]], index.name)) do
      if part.collate:lower() ~= own[part.name] then
        tell("collation", index.name, ("%s of %s: PostgreSQL will compare its texts by their bytes"):format(
          part.collate, part.name))
      end
    end
  end
end

--- The picture with types that migrations know; what cannot be alike is told.
local function adapt(run, picture, tell)
  for _, column in ipairs(picture.columns) do
    if not column.generated and not Words.type(column.type) then
      local type, kinds = known_type(run, picture.name, column)
      column.type = type or column.type
      if kinds then
        tell("definition", picture.name, ("%s holds values of several kinds (%s), and a column of PostgreSQL one")
          :format(column.name, kinds))
      end
    end
    column.default = default_of(column)
    column.auto = column.auto or column.rowid             -- such a key is counted by SQLite, whatever it says
    if column.collate and column.collate:lower() ~= "binary" then
      tell("collation", ("%s.%s"):format(picture.name, column.name),
        ("%s: PostgreSQL will compare its texts by their bytes"):format(column.collate))
    end
  end
  return picture
end

--- What makes a table on PostgreSQL, and then its foreign keys.
---@param run rille.SchemaRunner  of the SQLite database
---@param name string
---@param tell fun(kind: string, name: string, why: string)  hears what will not be as it was
---@return string[] statements
---@return string[] keys  to be run when all tables are there
function M.statements(run, name, tell)
  local current = Catalog.table(run, name)
  local picture = adapt(run, Engine.picture(run, current.name), tell)
  tell_unlike(run, current, picture, tell)
  local blueprint = Recall.blueprint(Engine, picture)
  for _, what in ipairs(blueprint.unsaid) do tell("definition", name, what) end
  return Ddl.create(Picture.without_keys(blueprint)), Picture.keys_of(blueprint)
end

return M
