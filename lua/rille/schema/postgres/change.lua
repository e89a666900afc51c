--- postgres.change: a column becomes another one, with its rows, indexes, key, foreign key and collation.
local Catalog = require "rille.schema.postgres.catalog"
local Ddl = require "rille.schema.postgres.ddl"
local Find = require "rille.schema.postgres.find"
local Name = require "rille.schema.name"
local Narrow = require "rille.schema.postgres.narrow"
local Policy = require "rille.schema.postgres.policy"
local Tries = require "rille.schema.postgres.tries"

local M = {}

local refuse = Find.refuse

local function in_primary(table_, name)
  local primary = Find.primary(table_)
  for _, each in ipairs(primary and primary.columns or {}) do
    if each == name then return true end
  end
  return false
end

local function check_possible(run, table_, column, old)
  if column.nullable and in_primary(table_, old.name) then
    refuse(table_, ("%q is part of the primary key and cannot be nullable"):format(old.name), nil, old.name)
  elseif old.generated then
    refuse(table_, ("%q is generated and cannot be changed"):format(old.name), "drop it and add it anew", old.name)
  elseif old.identity and (column.type ~= "integer" or column.nullable) then
    refuse(table_, ("%q is counted up and stays an integer that is not NULL"):format(old.name), nil, old.name)
  end
  local type_changes = Ddl.formatted_type(column) ~= old.type
  local view = type_changes and Catalog.views(run, table_, old)[1]
  if view then
    refuse(table_, ("the %s %q needs %q as it is"):format(view.kind, view.name, old.name),
      "drop it first, and make it anew where it still makes sense", old.name)
  end
end

--- The type, with the collation that the column has.
local function type_text(column, old)
  local text = Ddl.type_of(column)
  if not Ddl.has_collation(column) then return text end
  local was_text = old.base == "text" or old.base == "varchar" or old.base == "bpchar"
  if not was_text then return text .. ' collate "C"' end
  return old.collation and text .. " collate " .. Name.quote(old.collation) or text
end

--- Drop what the old words said of it: its conditions, and its foreign key where another one is said.
local function drop_constraints(add, table_, column, old)
  for _, each in ipairs(table_.constraints) do
    local replaced = each.kind == "foreign" and column.references and Name.same_list(each.columns, { old.name })
    if Find.own_check(table_, each, old.name) or replaced then add("drop constraint " .. Name.quote(each.name)) end
  end
end

-- SQLSTATE of a type that does not fit what a foreign key joins.
local MISMATCH <const> = "42804"

local function explain(table_, old, e)
  if e.code ~= MISMATCH or not e.message:find("foreign key", 1, true) then error(e, 0) end
  refuse(table_, ("%q is part of a foreign key, whose two sides are of one type"):format(old.name),
    "t:drop_foreign{…} goes first", old.name)
end

local function is_referenced(table_, index)
  for _, key in ipairs(table_.incoming) do
    if Name.same_list(key.references, index.columns) then return true end
  end
  return false
end

--- NULLs have a place in the order of an index only where there may be some (ddl.lua), and a query asks for that very
--- order: so the indexes over a column that may be NULL from now on, or may not, are made anew.
local function order_anew(run, table_, column, old)
  if column.nullable == old.nullable then return end
  local is_nullable = {}
  for _, each in ipairs(table_.columns) do is_nullable[each.name] = each.nullable end
  is_nullable[old.name] = column.nullable
  for _, index in ipairs(table_.indexes) do
    local parts, touched = {}, false
    for i, name in ipairs(index.columns) do
      parts[i] = { name, index.descending[i] and "desc" or nil }
      touched = touched or name == old.name
      if not name then parts = nil break end
    end
    local can_go = index.plain and index.valid and index.origin == "c" and not is_referenced(table_, index)
    if parts and touched and can_go then
      run:execute("drop index " .. Name.quote(index.name))
      run:execute(Ddl.index(table_.name, { name = index.name, unique = index.unique, columns = parts,
        where = index.where }, function(name) return is_nullable[name] end))
    end
  end
end

--- Change a column.
---@param run rille.SchemaRunner
---@param table_ rille.PostgresTable
---@param column rille.BlueprintColumn  what it shall be
function M.run(run, table_, column)
  local old = Find.known(table_, column.name)
  check_possible(run, table_, column, old)
  Narrow.check(run, table_, column, old)
  local parts, name = {}, Name.quote(old.name)
  local function add(text) parts[#parts + 1] = text end
  local function alter(text) add(("alter column %s %s"):format(name, text)) end
  drop_constraints(add, table_, column, old)
  if old.default then alter "drop default" end
  local conversion = Narrow.conversion(column, old)
  alter(("type %s%s"):format(type_text(column, old), conversion and " using " .. conversion or ""))
  local default = Ddl.default(column)
  if default then alter("set default " .. default) end
  if column.nullable ~= old.nullable then alter((column.nullable and "drop" or "set") .. " not null") end
  for _, check in ipairs(Ddl.checks(column, table_.name)) do
    add(("add constraint %s check (%s)"):format(Name.quote(check.name), check.sql))
  end
  local shown_again = Policy.set_aside(run, table_, old)
  local e = run:attempt(("alter table %s %s"):format(Name.quote(table_.name), table.concat(parts, ", ")))
  if e then explain(table_, old, e) end
  if shown_again then shown_again(table_) end
  order_anew(run, table_, column, old)
  if column.references then Tries.foreign(run, table_, Ddl.foreign_of(column, table_.name)) end
  if column.comment then run:execute(Ddl.comment(table_.name, column)) end
end

return M
