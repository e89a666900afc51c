--- tenant.side.postgres: a PostgreSQL database, or a schema of one, as one side of a move of a tenant's rows; see
-- side/sqlite.lua for what each word is for.
-- Tables are those that their bare name finds.  A row is told by its place (ctid), which stays what it is for a
-- snapshot, and for everybody while the table is locked.
local Error = require "rille.error"
local Handle = require "rille.handle"
local Json = require "rille.json"
local Moved = require "rille.tenant.moved"
local Name = require "rille.schema.name"
local Side = require "rille.tenant.side"
local copy = require "rille.copy"

local Postgres = Side.kind()

Postgres.ROW, Postgres.ROW_TYPE = "ctid", "pg_catalog.tid"

Postgres.SHORT_LIVED = " on commit drop"

Postgres.OVERRIDING = " overriding system value"

Postgres.SHOWN = "case pg_catalog.jsonb_typeof(pg_catalog.to_jsonb(%s)) when 'number' then (%s)::text "
  .. "else pg_catalog.quote_nullable((%s)::text) end"

Postgres.DIFFERS = '(m.%s)::text collate "C" is distinct from (o.%s)::text collate "C"'

Postgres.KEY_TYPE = 'text collate "C"'

-- Of the table whose quoted name is the only value.
local FOREIGN <const> = [[select f.relname::text as "table", k.condeferrable as "deferrable",
    pg_catalog.pg_table_is_visible(f.oid) as "visible", f.oid::pg_catalog.regclass::text as "place",
    (select pg_catalog.json_agg(a.attname order by u.at)::text
      from pg_catalog.unnest(k.conkey) with ordinality as u (number, at)
      join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.number) as "columns",
    (select pg_catalog.json_agg(a.attname order by u.at)::text
      from pg_catalog.unnest(k.confkey) with ordinality as u (number, at)
      join pg_catalog.pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.number) as "references"
  from pg_catalog.pg_constraint k join pg_catalog.pg_class f on f.oid = k.confrelid
  where k.contype = 'f' and k.conrelid = pg_catalog.to_regclass(?) order by k.conname collate "C"]]

local UNIQUE <const> = [[select (select pg_catalog.json_agg(a.attname order by u.at)::text
      from pg_catalog.unnest(i.indkey::pg_catalog.int2[]) with ordinality as u (number, at)
      join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = u.number
      where u.at <= i.indnkeyatts) as "columns"
  from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
  where i.indrelid = pg_catalog.to_regclass(?) and i.indisunique and i.indpred is null and i.indexprs is null
  order by not i.indisprimary, c.relname collate "C"]]

local ABOUT <const> = [[select c.relkind = 'p' or c.relispartition or exists (select 1 from pg_catalog.pg_inherits h
      where h.inhrelid = c.oid or h.inhparent = c.oid) as "parted",
    (select k.conrelid::pg_catalog.regclass::text from pg_catalog.pg_constraint k
      where k.contype = 'f' and k.confrelid = c.oid and not pg_catalog.pg_table_is_visible(k.conrelid)
      limit 1) as "outside",
    (select r.rulename::text from pg_catalog.pg_rewrite r where r.ev_class = c.oid limit 1) as "rule",
    (select t.tgname::text from pg_catalog.pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal
      and t.tgenabled <> 'D' order by t.tgname limit 1) as "trigger"
  from pg_catalog.pg_class c where c.oid = pg_catalog.to_regclass(?)]]

-- Of a sequence: to the first value, by drawing each that is before it where they are few.
local COUNT_ON <const> = [[select case when g.draws <= 1000
    then (select max(d.n) from (select pg_catalog.nextval(g.sequence) as n
      from pg_catalog.generate_series(1, g.draws)) d)
    else pg_catalog.setval(g.sequence, greatest(g.last, s.last_value)) end as n
  from %s s, lateral (select v.last, v.sequence, v.last - s.last_value + (not s.is_called)::int as draws
    from (select ?::bigint as last, ?::pg_catalog.regclass as sequence) v) g where g.draws > 0]]

--- Open it on a connection of its own.
---@param handle rille.Handle
---@return rille.MoveSide
function Postgres.new(handle)
  local own = copy(handle.settings)
  own.pooled, own.replicas, own.tenant, own.statement_timeout_ms = nil, nil, nil, nil
  own.walled = true                            -- policies let through what is no tenant's statement
  return setmetatable({ db = Handle.new("move", own), counts = {} }, Postgres)
end

--- What waits does so in tables of a transaction, which must be one that may write, and is rolled back.
function Postgres:try(fn)
  local tx <close> = self.db:begin()                                           -- luacheck: ignore 211
  return fn()
end

--- A commit that was told of and is gone with the server would be a row in neither place, or in both.
function Postgres:durable()
  self.db:_query [[select pg_catalog.set_config('synchronous_commit', 'on', true)
    where pg_catalog.current_setting('synchronous_commit') = 'off']]
end

--- Wholly, whosever notes they are: moves of two tenants want the same tables for themselves, and rows of everybody's.
-- Who only reads them does not wait.
function Postgres:lock_notes() self.db:_execute(("lock table %s in exclusive mode"):format(Moved.NOTES)) end

function Postgres:lock(names)
  self.db:_execute(("lock table %s in share row exclusive mode"):format(Name.quote_all(names)))
end

function Postgres:put_off() self.db:_execute "set constraints all deferred" end

function Postgres:has_notes()
  return self.db:_query("select pg_catalog.to_regclass(?) is not null as yes", Moved.NOTES)[1].yes
end

function Postgres:keys(name, only_here)
  local keys = {}
  for _, row in ipairs(self.db:_query(FOREIGN, Name.quote(name))) do
    if not row.visible and not only_here then
      Error.raise("unsupported", ("%s refers to %s, which is in another schema"):format(name, row.place), {
        table = name, hint = "what hangs together is moved out of one schema; drop the foreign key, or move the table",
      })
    end
    keys[#keys + 1] = row.visible and { table = row.table, columns = Json.decode(row.columns),
      references = Json.decode(row.references), deferrable = row.deferrable } or nil
  end
  return keys
end

function Postgres:unique_keys(name)
  local keys = {}
  for i, row in ipairs(self.db:_query(UNIQUE, Name.quote(name))) do keys[i] = Json.decode(row.columns) end
  return keys
end

local function about(self, name) return self.db:_query(ABOUT, Name.quote(name))[1] end

function Postgres:check(name)
  local found = about(self, name)
  local function refuse(what, hint)
    Error.raise("unsupported", ("%s %s"):format(name, what), { table = name, hint = hint })
  end
  if found.parted then
    refuse("has partitions, or tables that inherit from it, whose rows would be counted twice",
      "detach them for as long as tenants are moved")
  elseif found.outside then
    refuse(("is referred to by %s, which is in another schema"):format(found.outside),
      "what hangs together is moved out of one schema; drop the foreign key, or move the table")
  elseif found.rule then
    refuse(("has the rule %s, which writes something else than is meant"):format(found.rule),
      "drop it for as long as tenants are moved")
  end
end

function Postgres:trigger(name) return about(self, name).trigger end

function Postgres:make_like(stage, name, columns)
  local names = {}
  for i, column in ipairs(columns) do names[i] = column.name end
  self.db:_execute(("create temp table %s on commit drop as select %s from %s limit 0"):format(stage,
    Name.quote_all(names), Name.quote(name)))
end

--- Foreign keys are looked after by the database.
function Postgres.note_dangling() end
function Postgres.more_dangling() return {} end

--- Never back: others may have got ids that are not committed yet, or get some just now.  A setval knows nothing of
--- these, so it is for more than they could be.
function Postgres:count_on(name)
  local db, quoted = self.db, Name.quote(name)
  for _, column in ipairs(db:describe(name).columns) do
    local made = db:_query("select pg_catalog.pg_get_serial_sequence(?, ?) as name", quoted, column.name)[1].name
    if made then
      local last = db:_query(("select max(%s) as n from %s"):format(Name.quote(column.name), quoted))[1].n
      if last then db:_query(COUNT_ON:format(made), last, made) end
    end
  end
end

return Postgres
