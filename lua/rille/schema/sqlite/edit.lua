--- sqlite.edit: one word about a table that is there, applied to its definition; says if ALTER TABLE can do the same.
local core = require "rille.core"
local Definition = require "rille.schema.sqlite.definition"
local Error = require "rille.error"
local Name = require "rille.schema.name"
local Narrow = require "rille.schema.sqlite.narrow"
local Ddl = require "rille.schema.sqlite.ddl"

local M = {}

---@class rille.Edit
---@field table rille.CatalogTable        as it is
---@field definition rille.Definition     as it shall be
---@field rows fun(): integer             how many rows there are
---@field nulls fun(column: string): integer  how many of them hold NULL in a column
---@field statements string[]             that do the same without a rebuild
---@field rebuild boolean                 they would not do
---@field changes table[]                 for narrow.lua
---@field dropped table<string, true>     indexes that go
---@field indexes rille.BlueprintIndex[]  indexes that come, afterwards

local function names_of(columns)
  local names = {}
  for i, column in ipairs(columns) do names[i] = column.name end
  return names
end

--- Position of a column, or nil.
local function position_of(edit, name)
  for i, column in ipairs(edit.definition.columns) do
    if Name.same(column.name, name) then return i end
  end
end

local function known_position(edit, name)
  local position = position_of(edit, name)
  if not position then
    Error.unknown("no_such_column", "column", name, names_of(edit.definition.columns), edit.table.name,
      { table = edit.table.name, column = name })
  end
  return position
end

local function refuse(edit, message, hint, column)
  Error.raise("migration", ("%s: %s"):format(edit.table.name, message), {
    hint = hint, table = edit.table.name, column = column,
  })
end

local function has(list, name)
  for _, each in ipairs(list) do
    if each and Name.same(each, name) then return true end
  end
  return false
end

local function remove_clauses(clauses, unwanted)
  local kept = {}
  for _, clause in ipairs(clauses) do
    if not unwanted(clause) then kept[#kept + 1] = clause end
  end
  return kept, #clauses - #kept
end

local function sql(edit, text, ...)
  edit.statements[#edit.statements + 1] = text:format(Name.quote(edit.table.name), ...)
end

local EDITS = {}

function EDITS.add(edit, operation)
  local column = operation.column
  if position_of(edit, column.name) then
    refuse(edit, ("there is a column %q already"):format(column.name), "add :change() to change it", column.name)
  end
  local key, computed = column.references, column.default_sql or column.default_now
  local has_default = computed or column.default ~= nil and column.default ~= core.null
  if not column.nullable and not has_default and not column.auto and edit.rows() > 0 then
    refuse(edit, ("the new column %q is not nullable and has no default, but there are %d rows"):format(column.name,
      edit.rows()), "add :default(value) or :nullable()", column.name)
  end
  if column.primary and #Definition.primary(edit.definition) > 0 then
    refuse(edit, "there is a primary key already", "t:drop_primary() goes first", column.name)
  end
  local made = Ddl.column(column, edit.table.name)
  table.insert(edit.definition.columns, made)
  if column.primary or (computed or key and has_default) and edit.rows() > 0 then edit.rebuild = true end
  sql(edit, "alter table %s add column %s", Definition.column(made))
end

-- What a changed column keeps of what it was, besides its rows and its indexes.
local KEPT = { primary = true, unique = true, collate = true }

function EDITS.change(edit, operation)
  local column = operation.column
  local position = known_position(edit, column.name)
  local old = edit.definition.columns[position]
  local made = Ddl.column(column, edit.table.name)
  if column.nullable and has(Definition.primary(edit.definition), old.name) then
    refuse(edit, ("%q is part of the primary key and cannot be nullable"):format(old.name), nil, old.name)
  end
  for _, clause in ipairs(old.clauses) do
    if clause.kind == "generated" then
      refuse(edit, ("%q is generated and cannot be changed"):format(old.name), "drop it and add it anew", old.name)
    end
    local kept = KEPT[clause.kind] or clause.kind == "references" and not column.references
    if kept then table.insert(made.clauses, clause.kind == "primary" and 1 or #made.clauses + 1, clause) end
  end
  made.name, made.source, made.declared = old.name, old.source, old.declared
  made.conversion = made.source and Narrow.conversion(column, made.source, made.declared)
  if not made.remarks[1] then made.remarks = old.remarks end
  edit.definition.columns[position] = made
  if made.source then
    table.insert(edit.changes, { column = column, source = made.source, declared = made.declared })
  end
  edit.rebuild = true
end

--- Everything that stands in the way of dropping `columns`, and what goes with them.
local function release(edit, columns)
  local function all_go(list)
    for _, each in ipairs(list) do
      if not each or not has(columns, each) then return false end
    end
    return #list > 0
  end
  local function touched(list)
    for _, each in ipairs(columns) do
      if has(list, each) then return each end
    end
  end
  local function mentioned(text)
    for _, each in ipairs(columns) do
      if Definition.mentions(text, each) then return each end
    end
  end
  for _, key in ipairs(edit.table.incoming) do
    local references = #key.references > 0 and key.references or Definition.primary(edit.definition)
    local column = touched(references)
    if column and not (Name.same(key.table, edit.table.name) and all_go(key.columns)) then
      refuse(edit, ("%q is referenced by %q"):format(column, key.table), "drop that foreign key first", column)
    end
  end
  for _, index in ipairs(edit.table.indexes) do
    if index.origin == "c" and not edit.dropped[index.name] then
      if all_go(index.columns) then
        edit.dropped[index.name] = true
      elseif mentioned(index.sql:match "%(.*") then
        refuse(edit, ("the index %q needs %q"):format(index.name, mentioned(index.sql:match "%(.*")),
          ("t:drop_index{ name = %q } goes first"):format(index.name))
      end
    end
  end
  edit.definition.constraints = remove_clauses(edit.definition.constraints, function(clause)
    local of_columns = clause.columns
    if of_columns and all_go(of_columns) then return true end
    local column = of_columns and touched(of_columns) or clause.kind == "check" and mentioned(clause.text)
    if column then
      refuse(edit, ("%s needs %q"):format(Definition.clause(clause), column), "drop that constraint first", column)
    end
    return false
  end)
  for _, column in ipairs(edit.definition.columns) do
    for _, clause in ipairs(has(columns, column.name) and {} or column.clauses) do
      local needed = (clause.kind == "check" or clause.kind == "generated") and mentioned(clause.text)
      if needed then refuse(edit, ("the column %q needs %q"):format(column.name, needed), nil, needed) end
    end
  end
end

-- What ALTER TABLE … DROP COLUMN refuses to drop.
local HELD_BY = { primary = true, unique = true, references = true }

function EDITS.drop(edit, operation)
  local constraints = #edit.definition.constraints
  for _, name in ipairs(operation.columns) do known_position(edit, name) end
  release(edit, operation.columns)
  if #edit.definition.constraints < constraints then edit.rebuild = true end
  for _, name in ipairs(operation.columns) do
    local column = table.remove(edit.definition.columns, known_position(edit, name))
    for _, clause in ipairs(column.clauses) do
      if HELD_BY[clause.kind] then edit.rebuild = true end
    end
    sql(edit, "alter table %s drop column %s", Name.quote(name))
  end
  if #edit.definition.columns == 0 then
    refuse(edit, "a table cannot be without columns", ("schema:drop(%q) drops it"):format(edit.table.name))
  end
end

--- Does an index, or the primary key, begin with this column?
local function is_covered(edit, name)
  for _, index in ipairs(edit.table.indexes) do
    local first = index.columns[1]
    if first and Name.same(first, name) and not index.partial and not edit.dropped[index.name] then return true end
  end
  for _, index in ipairs(edit.indexes) do
    if not index.where and not index.trashed and Name.same(index.columns[1][1], name) then return true end
  end
  local key = Definition.primary(edit.definition)[1]
  return key ~= nil and Name.same(key, name)
end

local function has_index(edit, name)
  for _, index in ipairs(edit.table.indexes) do
    if Name.same(index.name, name) and not edit.dropped[index.name] then return true end
  end
  for _, index in ipairs(edit.indexes) do
    if Name.same(index.name, name) then return true end
  end
  return false
end

function EDITS.index(edit, index)
  for _, part in ipairs(index.columns) do known_position(edit, part[1]) end
  if index.trashed then known_position(edit, index.trashed) end
  if index.automatic and is_covered(edit, index.columns[1][1]) then return end
  if has_index(edit, index.name) then refuse(edit, ("there is an index %q already"):format(index.name)) end
  table.insert(edit.indexes, index)
end

--- A column of a primary key is never NULL, which SQLite would not mind.
local function forbid_nulls(edit, column)
  for _, clause in ipairs(column.clauses) do
    if clause.kind == "not null" then return end
  end
  local count = column.source and edit.nulls(column.source) or 0
  if count > 0 then
    Error.raise("migration", ("%d row%s of %q hold%s NULL in %q"):format(count, count == 1 and "" or "s",
      edit.table.name, count == 1 and "s" or "", column.name), {
      table = edit.table.name, column = column.name, hint = "change these rows first; nothing was changed",
    })
  end
  column.clauses = table.move(column.clauses, 1, #column.clauses, 2, { { kind = "not null", text = "not null" } })
end

function EDITS.primary(edit, operation)
  if #Definition.primary(edit.definition) > 0 then
    refuse(edit, "there is a primary key already", "t:drop_primary() goes first")
  end
  for _, name in ipairs(operation.columns) do
    forbid_nulls(edit, edit.definition.columns[known_position(edit, name)])
  end
  table.insert(edit.definition.constraints, Ddl.constraint(operation, edit.definition))
  edit.rebuild = true
end

function EDITS.foreign(edit, operation)
  for _, name in ipairs(operation.columns) do known_position(edit, name) end
  table.insert(edit.definition.constraints, Ddl.constraint(operation, edit.definition))
  edit.rebuild = true
end

--- Has a check of that name, of the table or of one of its columns?
local function has_check(edit, name)
  local function holds(clauses)
    for _, clause in ipairs(clauses) do
      if clause.kind == "check" and clause.name and Name.same(clause.name, name) then return true end
    end
  end
  for _, column in ipairs(edit.definition.columns) do
    if holds(column.clauses) then return true end
  end
  return holds(edit.definition.constraints)
end

function EDITS.check(edit, operation)
  if operation.name and has_check(edit, operation.name) then
    refuse(edit, ("there is a check %q already"):format(operation.name))
  end
  table.insert(edit.definition.constraints, Ddl.constraint(operation, edit.definition))
  edit.rebuild = true
end

--- Takes clauses away from the table and its columns; the test gets the clause and the columns it is about.
local function drop_clauses(edit, unwanted)
  local gone
  edit.definition.constraints, gone = remove_clauses(edit.definition.constraints, function(clause)
    return unwanted(clause, clause.columns or {})
  end)
  for _, column in ipairs(edit.definition.columns) do
    local count
    column.clauses, count = remove_clauses(column.clauses, function(clause)
      return unwanted(clause, clause.columns or { column.name })
    end)
    gone = gone + count
  end
  if gone > 0 then edit.rebuild = true end
  return gone > 0
end

local function missing(edit, what, operation)
  local which = operation.name and Name.quote(operation.name)
    or operation.columns and ("on %s"):format(Name.quote_all(operation.columns)) or ""
  refuse(edit, ("there is no %s %s"):format(what, which):gsub("%s+$", ""))
end

function EDITS.drop_primary(edit, operation)
  local dropped = drop_clauses(edit, function(clause) return clause.kind == "primary" end)
  if not dropped then missing(edit, "primary key", operation) end
end

function EDITS.drop_foreign(edit, operation)
  local dropped = drop_clauses(edit, function(clause, columns)
    if clause.kind ~= "foreign" and clause.kind ~= "references" then return false end
    if operation.name then return clause.name ~= nil and Name.same(clause.name, operation.name) end
    return Name.same_list(columns, operation.columns)
  end)
  if not dropped then missing(edit, "foreign key", operation) end
end

function EDITS.drop_check(edit, operation)
  local dropped = drop_clauses(edit, function(clause)
    return clause.kind == "check" and clause.name ~= nil and Name.same(clause.name, operation.name)
  end)
  if not dropped then missing(edit, "check", operation) end
end

--- Marks the indexes of CREATE INDEX that fit; says whether there was one.
local function drop_index(edit, operation, unique)
  local found = false
  for _, index in ipairs(edit.table.indexes) do
    local fits
    if operation.name then
      fits = Name.same(index.name, operation.name)
    else
      fits = index.unique == unique and Name.same_list(index.columns, operation.columns)
    end
    if fits and index.origin == "c" and not edit.dropped[index.name] then
      edit.dropped[index.name], found = true, true
    end
  end
  return found
end

function EDITS.drop_index(edit, operation)
  if not drop_index(edit, operation, false) then missing(edit, "index", operation) end
end

function EDITS.drop_unique(edit, operation)
  local primary = Definition.primary(edit.definition)
  for _, key in ipairs(operation.columns and edit.table.incoming or {}) do
    if Name.same_list(key.references, operation.columns) and not Name.same_list(key.references, primary) then
      refuse(edit, ("%q references %s, which must stay unique"):format(key.table, Name.quote_all(key.references)),
        "drop that foreign key first")
    end
  end
  if drop_index(edit, operation, true) then return end
  local dropped = drop_clauses(edit, function(clause, columns)
    if clause.kind ~= "unique" then return false end
    if operation.name then return clause.name ~= nil and Name.same(clause.name, operation.name) end
    return Name.same_list(columns, operation.columns)
  end)
  if not dropped then missing(edit, "unique constraint", operation) end
end

--- Begin to edit a table.
---@param current rille.CatalogTable
---@param rows fun(): integer
---@param nulls fun(column: string): integer
---@return rille.Edit
function M.begin(current, rows, nulls)
  local old = current.definition
  -- A copy: the catalog's is still asked for what was there.
  local definition = { name = old.name, tail = old.tail, columns = {} }
  for i, each in ipairs(old.columns) do
    definition.columns[i] = { name = each.name, type = each.type, clauses = each.clauses, remarks = each.remarks,
      source = each.name, declared = each.type }
  end
  definition.constraints = table.move(old.constraints, 1, #old.constraints, 1, {})
  return { table = current, definition = definition, rows = rows, nulls = nulls, statements = {}, rebuild = false,
    changes = {}, dropped = {}, indexes = {} }
end

--- Apply one operation of a blueprint.
---@param edit rille.Edit
---@param operation table
function M.apply(edit, operation) EDITS[operation.kind](edit, operation) end

return M
