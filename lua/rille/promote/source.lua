--- promote.source: what a SQLite database holds, as far as taking it to PostgreSQL has to know it.
local Catalog = require "rille.schema.sqlite.catalog"
local Error = require "rille.error"
local Name = require "rille.schema.name"

local M = {}

-- Tables of rille itself that mean something in the one file alone: places in its history, what mirrors have to repeat,
-- which statements made it, moves of tenants.
local OF_THE_FILE <const> = { rille_history = true, rille_epochs = true, rille_era = true, rille_statements = true,
  rille_outbox = true, rille_mirrors = true, rille_mirror_ledger = true, rille_mirror_failed = true,
  rille_mirror_skips = true, rille_mirror_origin = true, rille_moves = true }
local SCHEMAS <const> = require "rille.json_schema.store".TABLE
local DANGLING_MOST <const> = 20
local NAME_BYTES <const> = 63          -- of which PostgreSQL keeps no more

---@class rille.PromoteSource
---@field tables string[]                    that go over, sorted; the ledger of migrations is one of them
---@field left { kind: string, name: string, why: string? }[]  what does not go over by itself
---@field schemas table<string, string>      JSON Schemas of tables that were made from one
---@field counters table<string, integer>    table -> the greatest number that it ever gave to a row
---@field version integer                    another number once another connection has written

local function left_of(run)
  local left = {}
  for _, row in ipairs(run:rows [[select type as kind, name from sqlite_schema where type in ('view', 'trigger')
      order by type, name]]) do
    left[#left + 1] = { kind = row.kind, name = row.name }
  end
  for _, row in ipairs(run:rows [[select name from pragma_table_list where schema = 'main' and type = 'virtual'
      order by name]]) do
    left[#left + 1] = { kind = "virtual table", name = row.name }
  end
  if Catalog.has_table(run, "rille_mirrors") then
    for _, row in ipairs(run:rows [[select name from "rille_mirrors" order by name]]) do
      left[#left + 1] = { kind = "mirror", name = row.name, why = "there are no mirrors on PostgreSQL" }
    end
  end
  return left
end

local function schemas_of(run)
  local schemas = {}
  if Catalog.has_table(run, SCHEMAS) then
    local sql = ('select "table" as name, "schema" as text from %s'):format(Name.quote(SCHEMAS))
    for _, row in ipairs(run:rows(sql)) do schemas[row.name] = row.text end
  end
  return schemas
end

local function counters_of(run)
  local counters = {}
  if run:value "select exists (select 1 from sqlite_schema where name = 'sqlite_sequence') as value" == 1 then
    for _, row in ipairs(run:rows "select name, seq from sqlite_sequence") do counters[row.name] = row.seq end
  end
  return counters
end

--- Raise where a table that goes refers to one that stays behind: its rows would refer to none.
local function check_skipped(run, tables, skip)
  for _, name in ipairs(next(skip) and tables or {}) do
    for _, row in ipairs(run:rows('select distinct "table" as parent from pragma_foreign_key_list(?)', name)) do
      for skipped in next, skip do
        if Name.same(row.parent, skipped) then
          Error.raise("invalid_argument", ("skip: %s refers to %s"):format(Name.quote(name), Name.quote(skipped)), {
            table = skipped, hint = "leave both behind, or neither",
          })
        end
      end
    end
  end
end

--- Raise for names that PostgreSQL would cut, so that two become one.
local function check_names(run, tables)
  local function check(name, what)
    if #name <= NAME_BYTES then return end
    local message = ("the name of %s has %d bytes, and PostgreSQL keeps %d"):format(what, #name, NAME_BYTES)
    Error.raise("unsupported", message, { hint = "rename it in the source, or leave the table behind: skip" })
  end
  for _, name in ipairs(tables) do
    check(name, "the table " .. Name.quote(name))
    for _, column in ipairs(M.columns(run, name)) do
      check(column.name, ("the column %s of %s"):format(Name.quote(column.name), Name.quote(name)))
    end
  end
end

--- All that is to be known before anything is done; in the transaction that then reads the rows.
---@param run rille.SchemaRunner
---@param skip table<string, true>  tables that stay behind
---@return rille.PromoteSource
function M.look(run, skip)
  local tables, known = {}, {}
  for _, name in ipairs(Catalog.tables(run)) do
    known[#known + 1] = name
    if not OF_THE_FILE[name] and name ~= SCHEMAS and not skip[name] then tables[#tables + 1] = name end
  end
  for name in next, skip do
    if not Catalog.has_table(run, name) then
      Error.unknown("no_such_table", "table", name, known, "the source", { table = name })
    end
  end
  check_skipped(run, tables, skip)
  check_names(run, tables)
  return { tables = tables, left = left_of(run), schemas = schemas_of(run), counters = counters_of(run),
    version = M.version(run) }
end

--- Another number once another connection has written; a connection hears of it in its next transaction.
---@param run rille.SchemaRunner
---@return integer
function M.version(run)
  run:rows "select count(*) as n from sqlite_schema"       -- the transaction begins with its first read
  return run:rows("pragma data_version")[1].data_version
end

---@class rille.SourceColumn
---@field name string
---@field generated boolean
---@field primary boolean

--- The columns of a table.
---@param run rille.SchemaRunner
---@param name string
---@return rille.SourceColumn[]
function M.columns(run, name)
  local columns = {}
  for i, row in ipairs(run:rows("select name, hidden, pk from pragma_table_xinfo(?)", name)) do
    columns[i] = { name = row.name, generated = row.hidden >= 2, primary = row.pk > 0 }
  end
  return columns
end

--- By what its rows are read in the order in which they lie there; nil where that is so anyway.
---@param run rille.SchemaRunner
---@param name string
---@return string? sql
function M.order(run, name)
  if run:value("select wr as value from pragma_table_list where schema = 'main' and name = ?", name) ~= 0 then
    return nil
  end
  local taken = {}
  for _, column in ipairs(M.columns(run, name)) do taken[column.name:lower()] = true end
  for _, word in ipairs { "rowid", "_rowid_", "oid" } do
    if not taken[word] then return word end
  end
end

--- References that lead nowhere, some of them, in words; and how many there are.
---@param run rille.SchemaRunner
---@param source rille.PromoteSource
---@return { table: string, row: string, why: string }[]
---@return integer count
function M.dangling(run, source)
  local goes, found, count = {}, {}, 0
  for _, name in ipairs(source.tables) do goes[name:lower()] = true end
  for _, row in ipairs(run:rows [[select "table" as child, rowid as id, parent from pragma_foreign_key_check]]) do
    if goes[row.child:lower()] then
      count = count + 1
      if count <= DANGLING_MOST then
        found[count] = { table = row.child, row = row.id and "rowid = " .. row.id or "a row",
          why = ("%s refers to a row of %s that is not there"):format(row.child, row.parent) }
      end
    end
  end
  return found, count
end

return M
