--- postgres.release: what stands in the way of dropping columns, keys and tables; PostgreSQL itself would drop some of
--- it without a word.
local Catalog = require "rille.schema.postgres.catalog"
local Error = require "rille.error"
local Find = require "rille.schema.postgres.find"
local Name = require "rille.schema.name"
local Policy = require "rille.schema.postgres.policy"

local M = {}

local refuse = Find.refuse

local function has(list, name)
  for _, each in ipairs(list) do
    if each == name then return true end
  end
  return false
end

--- The first of `names` that the list has, and whether the list has nothing else.
local function touched(list, names)
  local found, whole = nil, #list > 0
  for _, each in ipairs(list) do
    if has(names, each) then found = found or each else whole = false end
  end
  return found, whole
end

local function check_views(run, table_, columns)
  for _, column in ipairs(columns) do
    local view = Catalog.views(run, table_, column)[1]
    if view then
      refuse(table_, ("the %s %q needs %q"):format(view.kind, view.name, column.name), "drop it first, and make it "
        .. "anew where it still makes sense", column.name)
    end
  end
end

--- Raise where columns cannot go.
---@param run rille.SchemaRunner
---@param table_ rille.PostgresTable
---@param columns rille.PostgresColumn[]
function M.columns(run, table_, columns)
  local names = {}
  for i, column in ipairs(columns) do names[i] = column.name end
  for _, key in ipairs(table_.incoming) do
    local column = touched(key.references, names)
    local _, goes_too = touched(key.columns, names)
    if column and not (key.table == table_.name and goes_too) then
      refuse(table_, ("%q is referenced by %q"):format(column, key.table), "drop that foreign key first", column)
    end
  end
  for _, index in ipairs(table_.indexes) do
    local column, whole = touched(index.needs, names)
    if column and not whole and index.origin == "c" then
      refuse(table_, ("the index %q needs %q"):format(index.name, column),
        ("t:drop_index{ name = %q } goes first"):format(index.name))
    end
  end
  for _, constraint in ipairs(table_.constraints) do
    local column, whole = touched(constraint.columns, names)
    local is_own = constraint.kind ~= "check" or column and Find.own_check(table_, constraint, column)
    if column and not (whole and is_own) then
      refuse(table_, ("constraint %s %s needs %q"):format(Name.quote(constraint.name), constraint.sql, column),
        "drop that constraint first", column)
    end
  end
  for _, column in ipairs(columns) do
    if Policy.needs(run, table_, column) then
      refuse(table_, ("rows are shown to their tenant by %q"):format(column.name), "t:drop_row_security() goes first",
        column.name)
    end
  end
  check_views(run, table_, columns)
end

--- Raise where columns must stay unique, because others refer to them.
---@param table_ rille.PostgresTable
---@param columns string[]
function M.unique(table_, columns)
  for _, key in ipairs(table_.incoming) do
    if Name.same_list(key.references, columns) then
      local others = 0
      for _, index in ipairs(table_.indexes) do
        if index.unique and not index.where and Name.same_list(index.columns, columns) then others = others + 1 end
      end
      if others < 2 then
        refuse(table_, ("%q references %s, which must stay unique"):format(key.table, Name.quote_all(columns)),
          "drop that foreign key first")
      end
    end
  end
end

--- Raise where a table cannot go.
---@param run rille.SchemaRunner
---@param table_ rille.PostgresTable
function M.table(run, table_)
  for _, key in ipairs(table_.incoming) do
    if key.table ~= table_.name then
      Error.raise("migration", ("%q cannot be dropped: %q refers to it by %s"):format(table_.name, key.table,
        Name.quote_all(key.columns)), {
        table = table_.name, hint = ("schema:drop(%q) or t:drop_foreign{…} goes first"):format(key.table),
      })
    end
  end
  local view = Catalog.views(run, table_)[1]
  if view then
    Error.raise("migration", ("the %s %q would not work any more"):format(view.kind, view.name), {
      table = table_.name, hint = "drop it first, and make it anew where it still makes sense",
    })
  end
end

return M
