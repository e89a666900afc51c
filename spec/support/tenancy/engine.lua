--- tenancy.engine: what a random world says otherwise to SQLite than to PostgreSQL.
local Database = require "spec.support.database"

local M = {}

-- -- SQLite ---------------------------------------------------------------------------------------------------------

local Sqlite = { keys_late = false }

function Sqlite.connect(rille) return rille.connect ":memory:" end

--- Let references wait for the end of the transaction.
function Sqlite.defer(db) db:execute "pragma defer_foreign_keys = on" end

function Sqlite.count_from(db, name, last)
  db:execute("delete from sqlite_sequence where name = ?", name)
  db:execute("insert into sqlite_sequence (name, seq) values (?, ?)", name, last)
end

--- How far the ids of each table were counted.
function Sqlite.counters(db) return db:_query "select name, seq from sqlite_sequence" end

function Sqlite.put_back(db, counted)
  db:_execute "delete from sqlite_sequence"
  for _, each in ipairs(counted) do
    db:_execute("insert into sqlite_sequence (name, seq) values (?, ?)", each.name, each.seq)
  end
end

--- A value as a text that no other value has.
function Sqlite.quoted(column) return ('quote("%s")'):format(column) end

Sqlite.gather = "select group_concat(line, char(10)) as text from (select line from (%s) order by line)"

--- A trigger in the place of a write to a view.
function Sqlite.trigger(db, name, event, view, statement)
  db:execute(("create trigger %s instead of %s on %s begin %s; end"):format(name, event, view, statement))
end

-- -- PostgreSQL -----------------------------------------------------------------------------------------------------

local Postgres = { keys_late = true }

--- Every other world has row-level security; in every fourth one nothing else tells whose rows are meant.
function Postgres.connect(rille, world)
  world.walled, world.bare = world.seed % 2 == 0, world.seed % 4 == 0
  rille.configure { connections = { main = Database.settings() }, tenancy = world.walled and { rls = true } or nil,
    models = "/nowhere" }
  return Database.empty(rille.db())
end

function Postgres.defer() end

local function sequence(name) return ("pg_get_serial_sequence('%s', 'id')"):format(name) end

function Postgres.count_from(db, name, last)
  db:query(("select setval(%s, ?) as last"):format(sequence(name)), last)
end

function Postgres.counters(db)
  local counted = {}
  for i, row in ipairs(db:_query [[select c.relname::text as name, s.last_value as last from pg_sequences s
      join pg_class q on q.oid = to_regclass(quote_ident(s.sequencename)) and s.schemaname = current_schema()
      join pg_depend d on d.objid = q.oid and d.deptype = 'i' join pg_class c on c.oid = d.refobjid]]) do
    counted[i] = row
  end
  return counted
end

function Postgres.put_back(db, counted)
  for _, each in ipairs(counted) do
    if each.last then db:_query(("select setval(%s, ?) as last"):format(sequence(each.name)), each.last) end
  end
end

function Postgres.quoted(column) return ('quote_nullable("%s"::text)'):format(column) end

Postgres.gather = [[select string_agg(line, chr(10) order by line collate "C") as text from (%s) as lines]]

function Postgres.trigger(db, name, event, view, statement)
  local row = event == "delete" and "old" or "new"
  db:execute(("create function %s() returns trigger language plpgsql as $$ begin %s; return %s; end $$"):format(name,
    statement, row))
  db:execute(("create trigger %s instead of %s on %s for each row execute function %s()"):format(name, event, view,
    name))
end

function M.current() return Database.is_postgres and Postgres or Sqlite end

return M
