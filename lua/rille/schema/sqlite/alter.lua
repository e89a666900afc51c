--- sqlite.alter: changes a table of SQLite, by ALTER TABLE where that can do it, by a rebuild where not.
local Catalog = require "rille.schema.sqlite.catalog"
local Edit = require "rille.schema.sqlite.edit"
local Error = require "rille.error"
local Name = require "rille.schema.name"
local Narrow = require "rille.schema.sqlite.narrow"
local Ddl = require "rille.schema.sqlite.ddl"

local M = {}

--- How many rows share their values with others, for somebody who wants them to be unique.
local function explain_duplicates(run, table_name, index, e)
  local names = {}
  for i, part in ipairs(index.columns) do names[i] = part[1] end
  local columns = Name.quote_all(names)
  local covered = Ddl.covered_rows(index)
  local count = run:value(("select count(*) as value from (select 1 from %s%s group by %s having count(*) > 1)"):format(
    Name.quote(table_name), covered and " where " .. covered or "", columns))
  Error.raise("migration", ("%d value%s of %s in %q come%s more than once"):format(count, count == 1 and "" or "s",
    columns, table_name, count == 1 and "s" or ""), {
    table = table_name, column = #names == 1 and names[1] or nil, sql = e.sql, code = e.code,
    hint = "change or delete these rows first",
  })
end

--- Make an index.
---@param run rille.SchemaRunner
---@param table_name string
---@param index rille.BlueprintIndex
function M.create_index(run, table_name, index)
  local ok, e = pcall(run.execute, run, Ddl.index(table_name, index))
  if ok then return end
  if Error.is(e, "unique_violation") then explain_duplicates(run, table_name, index, e) end
  error(e, 0)
end

local function run_edit(run, edit)
  local current = edit.table
  if edit.rebuild then
    run:want_foreign_keys_off(current.name)
    Narrow.check(run, current, edit.changes)
    require "rille.schema.sqlite.rebuild".run(run, current, edit.definition, edit.dropped)
  else
    for _, index in ipairs(current.indexes) do
      if edit.dropped[index.name] then run:execute("drop index " .. Name.quote(index.name)) end
    end
    for _, statement in ipairs(edit.statements) do run:execute(statement) end
  end
  for _, index in ipairs(edit.indexes) do M.create_index(run, current.name, index) end
end

local function rename_column(run, table_name, operation)
  local current = Catalog.table(run, table_name)
  local names, found = {}, false
  for i, column in ipairs(current.definition.columns) do
    names[i] = column.name
    found = found or Name.same(column.name, operation.from)
    if Name.same(column.name, operation.to) and not Name.same(operation.to, operation.from) then
      Error.raise("migration", ("%s: there is a column %q already"):format(current.name, operation.to), {
        table = current.name, column = operation.to,
      })
    end
  end
  if not found then
    Error.unknown("no_such_column", "column", operation.from, names, current.name,
      { table = current.name, column = operation.from })
  end
  run:execute(("alter table %s rename column %s to %s"):format(Name.quote(current.name), Name.quote(operation.from),
    Name.quote(operation.to)))
end

local function begin(run, table_name)
  local current = Catalog.table(run, table_name)
  local count
  return Edit.begin(current, function()
    count = count or run:value("select count(*) as value from " .. Name.quote(current.name))
    return count
  end, function(column)
    return run:value(("select count(*) as value from %s where %s is null"):format(Name.quote(current.name),
      Name.quote(column)))
  end)
end

-- What SQLite has not got: whose rows are seen there only rille says.
local NOTHING <const> = { row_security = true, drop_row_security = true }

--- Carry out the operations of a blueprint, in the caller's transaction.
---@param run rille.SchemaRunner
---@param blueprint rille.Blueprint  of table.lua's alter
function M.run(run, blueprint)
  local edit
  for _, operation in ipairs(blueprint.operations) do
    if NOTHING[operation.kind] then
      Catalog.table(run, blueprint.table)                           -- but it must be there
    elseif operation.kind == "rename" then
      if edit then run_edit(run, edit) end
      edit = nil
      rename_column(run, blueprint.table, operation)
    else
      edit = edit or begin(run, blueprint.table)
      Edit.apply(edit, operation)
    end
  end
  if edit then run_edit(run, edit) end
  if #blueprint.operations == 0 then Catalog.table(run, blueprint.table) end      -- at least it must be there
end

return M
