--- ledger: the table that says which migrations were applied: a set of names, not a last one.
local core = require "rille.core"

local M = {}

M.TABLE = "rille_migrations"

---@class rille.LedgerRow
---@field name string
---@field checksum string
---@field batch integer      what one `migrate` applied has one number
---@field applied_at string
---@field duration_ms integer

--- The statement that makes the table, in the words of the database.
local function creation(db)
  local blueprint = require "rille.schema.table".describe(M.TABLE, function(t)
    t:text("name"):primary()
    t:text "checksum"
    t:integer "batch"
    t:datetime "applied_at"
    t:integer "duration_ms"
  end)
  local sql = require "rille.schema.engine".of(db).create(blueprint)[1]
  return (sql:gsub("^create table", "create table if not exists"))
end

--- Is the table where this database would make one?  One that is elsewhere in a search path is of other tables.
local function is_there(db)
  return require "rille.schema.engine".of(db).has_table(require "rille.schema.runner".new(db), M.TABLE)
end

--- Make the table where it is missing.
---@param run rille.SchemaRunner
function M.make(run)
  local db = run.handle
  local engine = require "rille.schema.engine".of(db)
  if engine.make_ledger then
    engine.make_ledger(run, M.TABLE, creation(db))
  elseif not is_there(db) then
    db:_execute(creation(db))
  end
end

--- Keep others from migrating until the transaction ends.
---@param run rille.SchemaRunner
function M.lock(run)
  local engine = require "rille.schema.engine".of(run.handle)
  if engine.lock then engine.lock(run, M.TABLE) end
end

--- What was applied, in the order in which it is to be taken back last to first.
---@param db rille.Handle
---@return rille.LedgerRow[] rows      by batch, then by name
---@return table<string, rille.LedgerRow> by_name
function M.read(db)
  local rows, by_name = {}, {}
  if require "rille.schema.rehearsal".exists(db) and is_there(db) then
    rows = db:_query [[select "name", "checksum", "batch", "applied_at", "duration_ms" from "rille_migrations"
      order by "batch", "name"]]
  end
  for _, row in ipairs(rows) do by_name[row.name] = row end
  return rows, by_name
end

--- The number of the last batch; 0 when nothing was applied.
---@param rows rille.LedgerRow[]  of read
---@return integer
function M.last_batch(rows) return #rows > 0 and rows[#rows].batch or 0 end

---@param db rille.Handle
---@param migration rille.MigrationFile
---@param batch integer
---@param ms number
---@return string applied_at
function M.add(db, migration, batch, ms)
  local now = core.now()
  db:_execute([[insert into "rille_migrations" ("name", "checksum", "batch", "applied_at", "duration_ms")
    values (?, ?, ?, ?, ?)]], migration.name, migration.checksum, batch, now, math.floor(ms + 0.5))
  return now
end

---@param db rille.Handle
---@param name string
function M.remove(db, name)
  db:_execute([[delete from "rille_migrations" where "name" = ?]], name)
end

return M
