--- sqlite.catalog: what an SQLite database holds, as far as changing a table has to know it.
local Definition = require "rille.schema.sqlite.definition"
local Error = require "rille.error"
local Name = require "rille.schema.name"

local M = {}

---@class rille.CatalogIndex
---@field name string
---@field unique boolean
---@field origin "c"|"u"|"pk"     made by CREATE INDEX, a unique constraint, the primary key
---@field columns (string|false)[]  false for an expression
---@field partial boolean
---@field sql? string             of CREATE INDEX

---@class rille.CatalogTable
---@field name string
---@field definition rille.Definition
---@field indexes rille.CatalogIndex[]
---@field triggers { name: string, sql: string }[]
---@field incoming { table: string, columns: string[], references: string[] }[]  foreign keys that refer to it

local function read_indexes(run, table_name)
  local indexes = {}
  for _, row in ipairs(run:rows([[select l.name as name, l."unique" as is_unique, l.origin as origin,
      l.partial as partial, m.sql as sql from pragma_index_list(?) as l
      left join sqlite_schema as m on m.type = 'index' and m.name = l.name order by m.rowid]], table_name)) do
    local columns = {}
    for i, part in ipairs(run:rows("select name from pragma_index_info(?) order by seqno", row.name)) do
      columns[i] = part.name or false
    end
    indexes[#indexes + 1] = { name = row.name, unique = row.is_unique == 1, origin = row.origin, columns = columns,
      partial = row.partial == 1, sql = row.sql }
  end
  return indexes
end

local function read_incoming(run, table_name)
  local incoming, last = {}, nil
  for _, row in ipairs(run:rows([[select m.name as child, f.id as id, f."from" as origin, f."to" as target
      from sqlite_schema as m, pragma_foreign_key_list(m.name) as f
      where m.type = 'table' and f."table" = ? collate nocase order by m.name, f.id, f.seq]], table_name)) do
    if not last or last.table ~= row.child or last.id ~= row.id then
      last = { table = row.child, id = row.id, columns = {}, references = {} }
      incoming[#incoming + 1] = last
    end
    table.insert(last.columns, row.origin)
    if row.target then table.insert(last.references, row.target) end
  end
  return incoming
end

--- Names of the tables that people made, sorted.
---@param run rille.SchemaRunner
---@return string[]
function M.tables(run)
  local names = {}
  for i, row in ipairs(run:rows [[select name from pragma_table_list where schema = 'main' and type = 'table'
      and name not like 'sqlite\_%' escape '\' order by name]]) do
    names[i] = row.name
  end
  return names
end

---@param run rille.SchemaRunner
---@param name string
---@return boolean
function M.has_table(run, name)
  return run:value([[select exists (select 1 from sqlite_schema where type = 'table' and name = ? collate nocase)
    as value]], name) == 1
end

---@param run rille.SchemaRunner
---@param table_name string
---@param column string
---@return boolean
function M.has_column(run, table_name, column)
  return run:value("select exists (select 1 from pragma_table_xinfo(?) where name = ? collate nocase) as value",
    table_name, column) == 1
end

--- All of a table; raises when there is none, or when it cannot be changed.
---@param run rille.SchemaRunner
---@param name string
---@return rille.CatalogTable
function M.table(run, name)
  local row = run:rows([[select l.name as name, l.type as type, m.sql as sql from pragma_table_list as l
      join sqlite_schema as m on m.name = l.name and m.type in ('table', 'view')
      where l.schema = 'main' and l.name = ? collate nocase]], name)[1]
  if not row then Error.unknown("no_such_table", "table", name, M.tables(run), nil, { table = name }) end
  if row.type ~= "table" then
    local what = row.type == "view" and "view" or row.type .. " table"
    Error.raise("unsupported", ("%q is a %s and cannot be changed"):format(row.name, what), {
      table = row.name, hint = "drop it and make it anew",
    })
  end
  local triggers = run:rows([[select name, sql from sqlite_schema where type = 'trigger'
      and tbl_name = ? collate nocase order by rowid]], name)
  return {
    name = row.name, definition = Definition.parse(row.sql), indexes = read_indexes(run, name), triggers = triggers,
    incoming = read_incoming(run, name),
  }
end

--- How many rows every table has.
---@param run rille.SchemaRunner
---@return table<string, integer>
function M.row_counts(run)
  local counts = {}
  for _, name in ipairs(M.tables(run)) do
    counts[name] = run:value("select count(*) as value from " .. Name.quote(name))
  end
  return counts
end

--- Statements that the database can only compile when the triggers of a table make sense.
local function probes_of(run, owner_name)
  local owner = Name.quote(owner_name)
  local statements = { "explain delete from " .. owner }
  local assignments, columns = {}, {}
  local rows = run:try("select name from pragma_table_xinfo(?) where hidden = 0", owner_name)
  for _, row in ipairs(rows or {}) do                     -- a view that is broken has no columns
    local name = Name.quote(row.name)
    columns[#columns + 1] = name
    assignments[#assignments + 1] = name .. " = null"
  end
  if #columns > 0 then
    statements[2] = ("explain update %s set %s"):format(owner, table.concat(assignments, ", "))
    statements[3] = ("explain insert into %s (%s) values (%s)"):format(owner, table.concat(columns, ", "),
      ("null, "):rep(#columns - 1) .. "null")
  end
  return statements
end

--- What the database cannot compile of its own views and triggers: { [statement] = { what =, why = } }.
---@param run rille.SchemaRunner
---@return table<string, { what: string, why: string }>
function M.broken(run)
  local broken = {}
  local function try(what, statement)
    local _, e = run:try(statement)
    if e then broken[statement] = { what = what, why = e.message } end
  end
  for _, row in ipairs(run:rows "select name from sqlite_schema where type = 'view'") do
    try(("the view %q"):format(row.name), "explain select * from " .. Name.quote(row.name))
  end
  for _, row in ipairs(run:rows "select distinct tbl_name as owner from sqlite_schema where type = 'trigger'") do
    for _, statement in ipairs(probes_of(run, row.owner)) do
      try(("a trigger of %q"):format(row.owner), statement)
    end
  end
  return broken
end

--- Raise for views and triggers that made sense before a table was changed and do not now.
---@param run rille.SchemaRunner
---@param table_name string  the one that was changed
---@param before table       of broken
function M.refuse_broken(run, table_name, before)
  for statement, problem in pairs(M.broken(run)) do
    if not before[statement] then
      Error.raise("migration", ("%s would not work any more: %s"):format(problem.what, problem.why), {
        table = table_name, hint = "drop it first, and make it anew where it still makes sense",
      })
    end
  end
end

return M
