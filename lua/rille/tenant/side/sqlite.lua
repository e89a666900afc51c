--- side.sqlite: a SQLite database as one side of a move of a tenant's rows; side/postgres.lua has the same words.
local Error = require "rille.error"
local Handle = require "rille.handle"
local Moved = require "rille.tenant.moved"
local Name = require "rille.schema.name"
local Side = require "rille.tenant.side"
local copy = require "rille.copy"

local Sqlite = Side.kind()

local quote = Name.quote

--- What tells the rows of a table apart while a transaction is open, and its type.
Sqlite.ROW, Sqlite.ROW_TYPE = "rowid", "integer"

--- What stands behind the definition of a table that is gone with the transaction.
Sqlite.SHORT_LIVED = ""

--- What stands before the rows that an insert gives ids of its own.
Sqlite.OVERRIDING = ""

--- A value as SQL writes it.
Sqlite.SHOWN = "quote(%s)"

--- A column (%s) of two rows, m and o, has not the same value.
Sqlite.DIFFERS = "quote(m.%s) <> quote(o.%s)"

--- The type of the column that says of which tenant something is noted.
Sqlite.KEY_TYPE = "text"

--- Settings of a connection to the same database that is for a move alone; raises where there is none to be had.
local function settings_of(handle)
  local path, own = handle.settings.database, copy(handle.settings)
  if not path or path == ":memory:" then
    Error.raise("unsupported", "tenants are moved between databases in files, or at servers")
  elseif not require "rille.core".file_size(path) then
    Error.raise("not_found", ("there is no database %s"):format(Error.quote(path)))
  end
  own.foreign_keys, own.create, own.pooled, own.mirror = false, false, false, nil
  return own
end

--- A side; what it says is kept is on the disk.
local function on(db, schema)
  db:_execute(("pragma %s.synchronous = full"):format(schema or "main"))
  return setmetatable({ db = db, schema = schema, counts = {} }, Sqlite)
end

--- Open it on a connection of its own.
---@param handle rille.Handle
---@return rille.MoveSide
function Sqlite.new(handle) return on(Handle.new("move", settings_of(handle))) end

--- A file whose mirrors, or sessions, are to hear of what is written has these.
local HEARD <const> = "select 1 from other.sqlite_schema where name in ('rille_mirrors', 'rille_history') limit 1"

--- Open two files in one connection, or in one each where somebody is to hear of what is written into the second: a
--- connection fills the outbox of its main file alone, and counts that one's commits.
---@param from rille.Handle
---@param to rille.Handle
---@return rille.MoveSide from
---@return rille.MoveSide to
function Sqlite.open_both(from, to)
  local settings, there = settings_of(from), settings_of(to)
  if to.settings.mirror ~= nil then to:_connect() end          -- so that the file says that it has mirrors
  local db = Handle.new("move", settings)
  db:_execute("attach ? as other", there.database)
  if not db:_query(HEARD)[1] then return on(db, "main"), on(db, "other") end
  db:_execute "detach other"
  return on(db), on(Handle.new("move", there))
end

--- What the database is called on its connection.
local function schema_of(self) return self.schema or "main" end

--- Run `fn`, of which nothing stays: for here a move waits in short-lived tables until it is known to have room.
function Sqlite:try(fn) return self:read(fn) end

--- Wait until what the transaction notes is on the disk: so it is anyway.
function Sqlite.durable() end

--- Keep other moves, and other writers of the tables, out until the transaction ends: it does so from its beginning.
function Sqlite.lock_notes() end
function Sqlite.lock() end

--- Have foreign keys looked after when the transaction ends: they are not looked after at all, see more_dangling.
function Sqlite.put_off() end

---@return boolean
function Sqlite:has_notes()
  local sql = ("select 1 from %s.sqlite_schema where name = ?"):format(schema_of(self))
  return self.db:_query(sql, Moved.NOTES)[1] ~= nil
end

--- The names of the columns that are the primary key, in its order.
local function primary_of(self, name)
  local columns = {}
  for i, row in ipairs(self.db:_query("select name from pragma_table_info(?, ?) where pk > 0 order by pk", name,
    schema_of(self))) do
    columns[i] = row.name
  end
  return columns
end

--- The foreign keys of a table, with all columns on both sides.
---@param name string
---@param only_here? boolean  those that lead elsewhere are left out, else refused; here there are none
---@return rille.MovedKey[]
function Sqlite:keys(name, only_here)                                          -- luacheck: ignore 212
  local keys, last = {}, nil
  for _, row in ipairs(self.db:_query([[select id, "table" as target, "from" as near, "to" as far
      from pragma_foreign_key_list(?, ?) order by id, seq]], name, schema_of(self))) do
    if not last or last.id ~= row.id then
      last = { id = row.id, table = row.target, columns = {}, references = {}, deferrable = true }
      keys[#keys + 1] = last
    end
    table.insert(last.columns, row.near)
    table.insert(last.references, row.far or primary_of(self, row.target)[#last.columns])
  end
  return keys
end

--- The keys of a table that no two rows may share, each a list of columns.  Not those of indexes over expressions
--- or of some rows only: what collides there is told by the database, which then keeps nothing.
---@return string[][]
function Sqlite:unique_keys(name)
  local keys, has_index, schema = {}, false, schema_of(self)
  for _, index in ipairs(self.db:_query([[select name, origin from pragma_index_list(?, ?)
      where "unique" and not partial]], name, schema)) do
    local columns, plain = {}, true
    for i, row in ipairs(self.db:_query("select cid, name from pragma_index_info(?, ?) order by seqno", index.name,
      schema)) do
      plain = plain and row.cid >= 0
      columns[i] = row.name
    end
    if plain then keys[#keys + 1] = columns end
    has_index = has_index or index.origin == "pk"
  end
  local primary = primary_of(self, name)
  if #primary == 1 and not has_index then table.insert(keys, 1, primary) end     -- the rowid by its own name
  return keys
end

--- Raise for a table whose rows cannot be moved.
function Sqlite:check(name)
  local row = self.db:_query("select wr from pragma_table_list where schema = ? and name = ?", schema_of(self), name)[1]
  if row.wr == 0 then return end
  Error.raise("unsupported", name .. " is a table without rowid, whose rows cannot be told apart", {
    table = name, hint = "make it a table with rowid before its rows are moved",
  })
end

--- The name of a trigger of a table, if it has one.
---@return string?
function Sqlite:trigger(name)
  local row = self.db:_query(("select name from %s.sqlite_schema where type = 'trigger' and tbl_name = ?"):format(
    schema_of(self)), name)[1]
  return row and row.name
end

--- Make a table like another one, as far as it says what its columns keep; gone with the connection.
---@param stage string
---@param name string
---@param columns { name: string, declared: string? }[]
function Sqlite:make_like(stage, name, columns)                                -- luacheck: ignore 212
  local parts = {}
  for i, column in ipairs(columns) do parts[i] = quote(column.name) .. " " .. (column.declared or "") end
  self.db:_execute("drop table if exists temp." .. stage)
  self.db:_execute(("create temp table %s (%s)"):format(stage, table.concat(parts, ", ")))
end

--- The references that lead nowhere, and how many there are of each: those of a table without rowid tell no rows
--- apart.  A condition on a column `schema` would be true of no row: only arguments are heard.
local DANGLING <const> = [[select "table" as name, rowid as id, parent, fkid as key, count(*) as n
  from pragma_foreign_key_check(null, ?) group by 1, 2, 3, 4]]

--- Note which references lead nowhere, but for those of marked rows, which others take the place of.
---@param plan rille.MovedTable[]
function Sqlite:note_dangling(plan)
  self.db:_execute "drop table if exists temp.rille_dangling"
  self.db:_execute "create temp table rille_dangling (name, id, parent, key, n)"
  self.db:_execute("insert into rille_dangling " .. DANGLING, schema_of(self))
  for i, each in ipairs(plan) do
    self.db:_execute(("delete from rille_dangling as d where name = ? and %s"):format(self:meant(i, "d", "id")),
      each.name)
  end
  self.db:_execute "create index temp.rille_dangling_by on rille_dangling (name, id, parent, key)"
end

--- Those that lead nowhere now, and did not when they were noted.
---@return rille.Reference[]
function Sqlite:more_dangling()
  return self.db:_query(([[select f.name as "table", f.parent, sum(f.n - coalesce(d.n, 0)) as rows from (%s) as f
    left join rille_dangling as d on d.name is f.name and d.id is f.id and d.parent is f.parent and d.key is f.key
    where f.n > coalesce(d.n, 0) group by 1, 2 order by 1, 2]]):format(DANGLING), schema_of(self))
end

--- Let new ids go on behind those that came: SQLite sees to it.
function Sqlite.count_on() end

return Sqlite
