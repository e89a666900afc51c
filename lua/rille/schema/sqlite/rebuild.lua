--- sqlite.rebuild: a table of SQLite made anew under its own name, with all rows, indexes, triggers and its counter.
-- Foreign keys are off meanwhile (sqlite/runner.lua), or DROP TABLE would delete what refers to the table.
local Catalog = require "rille.schema.sqlite.catalog"
local Definition = require "rille.schema.sqlite.definition"
local Error = require "rille.error"
local Name = require "rille.schema.name"

local M = {}

local ROWIDS = { "rowid", "_rowid_", "oid" }

local function clause_of(column, kind)
  for _, clause in ipairs(column.clauses) do
    if clause.kind == kind then return clause end
  end
end

--- Does the table count its rows by a column of its own?
local function has_integer_key(definition)
  for _, column in ipairs(definition.columns) do
    local primary = clause_of(column, "primary") ~= nil
    for _, constraint in ipairs(definition.constraints) do
      primary = primary or constraint.kind == "primary" and Name.same_list(constraint.columns, { column.name })
    end
    if primary and column.type:lower() == "integer" then return true end
  end
  return false
end

local function has_column(definition, name)
  for _, column in ipairs(definition.columns) do
    if Name.same(column.name, name) then return true end
  end
  return false
end

--- The hidden row number, where both tables have one: what points at rows by it (full-text indexes) stays right.
local function rowid_of(old, new)
  for _, definition in ipairs { old, new } do
    if definition.tail:lower():find "without%s+rowid" or has_integer_key(definition) then return nil end
  end
  for _, name in ipairs(ROWIDS) do
    if not has_column(old, name) and not has_column(new, name) then return name end
  end
end

--- Names and expressions of INSERT … SELECT.
local function copied(old, new)
  local into, from = {}, {}
  local rowid = rowid_of(old, new)
  if rowid then into[1], from[1] = rowid, rowid end
  for _, column in ipairs(new.columns) do
    if column.source and not clause_of(column, "generated") then
      into[#into + 1] = Name.quote(column.name)
      from[#from + 1] = column.conversion or Name.quote(column.source)
    end
  end
  return table.concat(into, ", "), table.concat(from, ", ")
end

local function free_name(run, name)
  local taken = {}
  for _, row in ipairs(run:rows "select name from sqlite_schema") do taken[row.name:lower()] = true end
  local count = 1
  local function candidate() return ("rille_rebuild_%d_%s"):format(count, name) end
  while taken[candidate():lower()] do count = count + 1 end
  return candidate()
end

local function has_counter(definition)
  for _, column in ipairs(definition.columns) do
    local primary = clause_of(column, "primary")
    if primary and primary.auto then return true end
  end
  return false
end

--- The greatest key that was ever given; nil when the table does not keep it.
local function read_counter(run, table_)
  if not has_counter(table_.definition) then return nil end
  local row = run:rows("select seq from sqlite_sequence where name = ?", table_.name)[1]
  return row and row.seq
end

local function write_counter(run, name, counter)
  run:execute("delete from sqlite_sequence where name = ?", name)
  run:execute("insert into sqlite_sequence (name, seq) values (?, ?)", name, counter)
end

local function compare_counts(before, after)
  for name, count in pairs(before) do
    if after[name] ~= count then
      Error.raise("migration", ("%q would have %s rows instead of %d; nothing was changed"):format(name,
        tostring(after[name] or "no"), count), { table = name })
    end
  end
end

local function rename(run, from, to)
  local guard <close> = run:switch("legacy_alter_table", 1)      -- luacheck: ignore 211
  -- As of old: views and triggers that name the table keep their text, and are not asked for while it is away.
  run:execute(("alter table %s rename to %s"):format(Name.quote(from), Name.quote(to)))
end

--- Make a table anew.  Raises, inside the caller's transaction, before anything would get lost.
---@param run rille.SchemaRunner
---@param old rille.CatalogTable
---@param definition rille.Definition   what it shall be; a column's `source` is the one whose values it takes, as they
---   are or as the SQL in `conversion` says; without a source it begins with its default
---@param dropped table<string, true>    names of indexes that are not made again
function M.run(run, old, definition, dropped)
  run:want_foreign_keys_off(old.name)
  local counts, broken, counter = Catalog.row_counts(run), Catalog.broken(run), read_counter(run, old)
  local temporary = free_name(run, old.name)
  run:execute(Definition.render(definition, temporary))
  local into, from = copied(old.definition, definition)
  if into ~= "" then
    run:execute(("insert into %s (%s) select %s from %s"):format(Name.quote(temporary), into, from,
      Name.quote(old.name)))
  end
  run:execute("drop table " .. Name.quote(old.name))
  rename(run, temporary, old.name)
  if counter and has_counter(definition) then write_counter(run, old.name, counter) end
  for _, index in ipairs(old.indexes) do
    if index.sql and not dropped[index.name] then run:execute(index.sql) end
  end
  for _, trigger in ipairs(old.triggers) do run:execute(trigger.sql) end
  compare_counts(counts, Catalog.row_counts(run))
  Catalog.refuse_broken(run, old.name, broken)
end

return M
