--- tenant.side.sqlite: a SQLite database as one side of a move of a tenant's rows; side/postgres.lua has the same
-- words.
local Error = require "rille.error"
local Moved = require "rille.tenant.moved"
local Name = require "rille.schema.name"

local M = {}

local quote = Name.quote

--- What tells the rows of a table apart while a transaction is open, and its type.
M.ROW, M.ROW_TYPE = "rowid", "integer"

--- What stands behind the definition of a table that is gone with the transaction.
M.SHORT_LIVED = ""

--- What stands before the rows that an insert gives ids of its own.
M.OVERRIDING = ""

--- A value as SQL writes it.
M.SHOWN = "quote(%s)"

--- A column (%s) of two rows, m and o, has not the same value.
M.DIFFERS = "quote(m.%s) <> quote(o.%s)"

M.NOTES = ("create table if not exists %s (tenant TEXT not null primary key, state TEXT not null)"):format(Moved.NOTES)

--- Settings of a connection to the same database that is for a move alone; raises where there is none to be had.
---@param settings table
---@return table
function M.settings(settings)
  local path, own = settings.database, {}
  if not path or path == ":memory:" then
    Error.raise("unsupported", "tenants are moved between databases in files, or at servers")
  elseif not require "rille.core".file_size(path) then
    Error.raise("not_found", ("there is no database %s"):format(Error.quote(path)))
  end
  for key, value in next, settings do own[key] = value end
  own.foreign_keys, own.create, own.pooled, own.mirror = false, false, false, nil
  return own
end

--- What is right for all of the connection: what is said to be kept is on the disk.
function M.begin(db) db:_execute "pragma main.synchronous = full" end

--- Wait until what the transaction notes is on the disk: so it is anyway.
function M.durable() end

--- Keep other moves, and other writers of the tables, out until the transaction ends: it does so from its beginning.
function M.lock_notes() end
function M.lock() end

--- Have foreign keys looked after when the transaction ends: they are not looked after at all, see dangling.
function M.put_off() end

---@return boolean
function M.has_notes(db) return db:_query("select 1 from sqlite_schema where name = ?", Moved.NOTES)[1] ~= nil end

--- The foreign keys of a table, with all columns on both sides.
---@param only_here? boolean  those that lead elsewhere are left out, else refused; here there are none
---@return rille.MovedKey[]
function M.keys(db, name)
  local keys, last = {}, nil
  for _, row in ipairs(db:_query([[select id, "table" as target, "from" as near, "to" as far
      from pragma_foreign_key_list(?) order by id, seq]], name)) do
    if not last or last.id ~= row.id then
      last = { id = row.id, table = row.target, columns = {}, references = {}, deferrable = true }
      keys[#keys + 1] = last
    end
    local far = row.far or db:describe(row.target).primary[#last.columns + 1]
    table.insert(last.columns, row.near)
    table.insert(last.references, far)
  end
  return keys
end

--- The keys of a table that no two rows may share, each a list of columns.  Not those of indexes over expressions
--- or of some rows only: what collides there is told by the database, which then keeps nothing.
---@param schema? string
---@return string[][]
function M.unique_keys(db, name, schema)
  schema = schema or "main"
  local keys, primary, has_index = {}, {}, false
  for _, index in ipairs(db:_query([[select name, origin from pragma_index_list(?, ?)
      where "unique" and not partial]], name, schema)) do
    local columns, plain = {}, true
    for i, row in ipairs(db:_query("select cid, name from pragma_index_info(?, ?) order by seqno", index.name,
      schema)) do
      plain = plain and row.cid >= 0
      columns[i] = row.name
    end
    if plain then keys[#keys + 1] = columns end
    has_index = has_index or index.origin == "pk"
  end
  for i, row in ipairs(db:_query("select name from pragma_table_info(?, ?) where pk > 0 order by pk", name, schema)) do
    primary[i] = row.name
  end
  if #primary == 1 and not has_index then table.insert(keys, 1, primary) end     -- the rowid by its own name
  return keys
end

--- Raise for a table whose rows cannot be moved.
function M.check(db, name)
  if db:_query("select wr from pragma_table_list where schema = 'main' and name = ?", name)[1].wr == 0 then return end
  Error.raise("unsupported", name .. " is a table without rowid, whose rows cannot be told apart", {
    table = name, hint = "make it a table with rowid before its rows are moved",
  })
end

--- The name of a trigger of a table, if it has one.
---@param schema? string
---@return string?
function M.trigger(db, name, schema)
  local row = db:_query(("select name from %s.sqlite_schema where type = 'trigger' and tbl_name = ?"):format(
    schema or "main"), name)[1]
  return row and row.name
end

--- Make a table like another one, as far as it says what its columns keep; gone with the connection.
---@param columns { name: string, declared: string? }[]
function M.make_like(db, stage, _, columns)
  local parts = {}
  for i, column in ipairs(columns) do parts[i] = quote(column.name) .. " " .. (column.declared or "") end
  db:_execute("drop table if exists temp." .. stage)
  db:_execute(("create temp table %s (%s)"):format(stage, table.concat(parts, ", ")))
end

--- How many references lead nowhere.
---@return integer
function M.dangling(db) return db:_query("select count(*) as n from pragma_foreign_key_check")[1].n end

--- Let new ids go on behind those that came: SQLite sees to it.
function M.count_on() end

return M
