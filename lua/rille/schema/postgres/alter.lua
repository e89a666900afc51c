--- postgres.alter: changes a table of PostgreSQL, one word after the other, in the caller's transaction.
local Change = require "rille.schema.postgres.change"
local Catalog = require "rille.schema.postgres.catalog"
local Ddl = require "rille.schema.postgres.ddl"
local Error = require "rille.error"
local Find = require "rille.schema.postgres.find"
local Name = require "rille.schema.name"
local Policy = require "rille.schema.postgres.policy"
local Release = require "rille.schema.postgres.release"
local Tries = require "rille.schema.postgres.tries"

local M = {}

local refuse, known = Find.refuse, Find.known

local function execute(run, table_, text, ...)
  run:execute(("alter table %s " .. text):format(Name.quote(table_.name), ...))
end

-- Kind of operation -> what carries it out; gets the runner, the table as it is now, and the operation.
local ALTERS = {}

function ALTERS.add(run, table_, operation)
  local column = operation.column
  if Find.column(table_, column.name) then
    refuse(table_, ("there is a column %q already"):format(column.name), "add :change() to change it", column.name)
  end
  local computed = column.default_sql or column.default_now
  local has_default = computed or column.default ~= nil and column.default ~= require "rille.core".null
  if not column.nullable and not has_default and not column.auto then
    local rows = Find.rows(run, table_)
    if rows > 0 then
      refuse(table_, ("the new column %q is not nullable and has no default, but there are %d rows"):format(column.name,
        rows), "add :default(value) or :nullable()", column.name)
    end
  end
  if column.primary and Find.primary(table_) then
    refuse(table_, "there is a primary key already", "t:drop_primary() goes first", column.name)
  end
  execute(run, table_, "add column %s", Ddl.column(column, table_.name, { references = false }))
  if column.references then Tries.foreign(run, table_, Ddl.foreign_of(column, table_.name)) end
  if column.comment then run:execute(Ddl.comment(table_.name, column)) end
end

function ALTERS.change(run, table_, operation) Change.run(run, table_, operation.column) end

function ALTERS.drop(run, table_, operation)
  local columns, texts = {}, {}
  for i, name in ipairs(operation.columns) do
    columns[i] = known(table_, name)
    texts[i] = "drop column " .. Name.quote(columns[i].name)
  end
  if #columns == #table_.columns then
    refuse(table_, "a table cannot be without columns", ("schema:drop(%q) drops it"):format(table_.name))
  end
  Release.columns(run, table_, columns)
  execute(run, table_, "%s", table.concat(texts, ", "))
end

--- Does an index, or the primary key, begin with this column?
local function is_covered(table_, name)
  for _, index in ipairs(table_.indexes) do
    if index.columns[1] == name and not index.where and index.valid then return true end
  end
  return false
end

function ALTERS.index(run, table_, index)
  local nullable = {}
  for _, part in ipairs(index.columns) do nullable[part[1]] = known(table_, part[1]).nullable end
  if index.trashed then known(table_, index.trashed) end
  if index.automatic and is_covered(table_, index.columns[1][1]) then return end
  for _, each in ipairs(table_.indexes) do
    if each.name == index.name then refuse(table_, ("there is an index %q already"):format(index.name)) end
  end
  local sql = Ddl.index(table_.name, index, function(name) return nullable[name] end)
  Tries.index(run, table_, index, sql)
end

function ALTERS.primary(run, table_, operation)
  if Find.primary(table_) then
    refuse(table_, "there is a primary key already", "t:drop_primary() goes first")
  end
  for _, name in ipairs(operation.columns) do known(table_, name) end
  Tries.primary(run, table_, operation.columns, Ddl.constraint(operation, table_.name, {}))
end

function ALTERS.foreign(run, table_, operation)
  for _, name in ipairs(operation.columns) do known(table_, name) end
  Tries.foreign(run, table_, operation)
end

function ALTERS.check(run, table_, operation)
  local taken = {}
  for _, each in ipairs(table_.constraints) do
    taken[each.name] = true
    if each.kind == "check" and each.name == operation.name then
      refuse(table_, ("there is a check %q already"):format(each.name))
    end
  end
  execute(run, table_, "add %s", Ddl.constraint(operation, table_.name, taken))
end

local function missing(table_, what, operation)
  local which = operation.name and Name.quote(operation.name)
    or operation.columns and ("on %s"):format(Name.quote_all(operation.columns)) or ""
  refuse(table_, (("there is no %s %s"):format(what, which):gsub("%s+$", "")))
end

local function drop_constraint(run, table_, constraint)
  execute(run, table_, "drop constraint %s", Name.quote(constraint.name))
end

--- The first constraint of a kind that an operation means: by its name or by its columns.
local function meant(table_, kind, operation)
  for _, each in ipairs(table_.constraints) do
    local fits
    if operation.name then
      fits = each.name == operation.name
    else
      fits = Name.same_list(each.columns, operation.columns)
    end
    if each.kind == kind and fits then return each end
  end
end

function ALTERS.drop_primary(run, table_, operation)
  local primary = Find.primary(table_)
  if not primary then missing(table_, "primary key", operation) end
  Release.unique(table_, primary.columns)
  drop_constraint(run, table_, primary)
end

function ALTERS.drop_foreign(run, table_, operation)
  local found = meant(table_, "foreign", operation)
  if not found then missing(table_, "foreign key", operation) end
  while found do
    drop_constraint(run, table_, found)
    table_ = Catalog.table(run, table_.name)
    found = meant(table_, "foreign", operation)
  end
end

function ALTERS.row_security(run, table_, operation) Policy.add(run, table_, operation.column_name) end

function ALTERS.drop_row_security(run, table_) Policy.remove(run, table_) end

function ALTERS.drop_check(run, table_, operation)
  local found = meant(table_, "check", operation)
  if not found then missing(table_, "check", operation) end
  drop_constraint(run, table_, found)
end

--- Drop the indexes of CREATE INDEX that are meant; says whether there was one.
local function drop_index(run, table_, operation, unique)
  local found = false
  for _, index in ipairs(table_.indexes) do
    local fits
    if operation.name then
      fits = index.name == operation.name
    else
      fits = index.unique == unique and Name.same_list(index.columns, operation.columns)
    end
    if fits and index.origin == "c" then
      run:execute("drop index " .. Name.quote(index.name))
      found = true
    end
  end
  return found
end

function ALTERS.drop_index(run, table_, operation)
  if not drop_index(run, table_, operation, false) then missing(table_, "index", operation) end
end

function ALTERS.drop_unique(run, table_, operation)
  if operation.columns then Release.unique(table_, operation.columns) end
  if drop_index(run, table_, operation, true) then return end
  local found = meant(table_, "unique", operation)
  if not found then missing(table_, "unique constraint", operation) end
  drop_constraint(run, table_, found)
end

--- A column's own conditions are called after it, so they follow.
local function rename_checks(run, table_, from, to)
  for _, each in ipairs(table_.constraints) do
    local ending = Find.own_check(table_, each, from)
    if ending then
      execute(run, table_, "rename constraint %s to %s", Name.quote(each.name),
        Name.quote(Name.derived(table_.name, { to }, ending)))
    end
  end
end

function ALTERS.rename(run, table_, operation)
  if Find.column(table_, operation.to) and operation.to ~= operation.from then
    Error.raise("migration", ("%s: there is a column %q already"):format(table_.name, operation.to), {
      table = table_.name, column = operation.to,
    })
  end
  local column = known(table_, operation.from)
  if operation.to == operation.from then return end
  execute(run, table_, "rename column %s to %s", Name.quote(column.name), Name.quote(operation.to))
  rename_checks(run, table_, column.name, operation.to)
end

--- Carry out the operations of a blueprint, in the caller's transaction.
---@param run rille.SchemaRunner
---@param blueprint rille.Blueprint  of table.lua's alter
function M.run(run, blueprint)
  local table_ = Catalog.table(run, blueprint.table)             -- at least it must be there
  for i, operation in ipairs(blueprint.operations) do
    if i > 1 then table_ = Catalog.table(run, blueprint.table) end
    ALTERS[operation.kind](run, table_, operation)
  end
end

return M
