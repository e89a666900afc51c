--- handle.postgres: what a handle does otherwise on PostgreSQL; see handle/sqlite.lua for what each function is for.
local Error = require "rille.error"

local M = {}

local OPTIONS = { "driver", "url", "database", "host", "port", "user", "password", "readonly", "busy_timeout_ms",
  "statement_timeout_ms", "connect_timeout_ms", "schema", "pooled", "tenant" }
local WORTH_A_NOTE = 100                 -- of the planner's costs: some thousand rows read

-- In a transaction of which a statement failed nothing more is done.
M.fails_whole = true

M.pipelines, M.reads_laterally = true, true

M.locks_rows, M.counts_commits, M.exact_decimals = true, true, true

-- Functions of PostgreSQL's own, and of its extensions, for which nobody who looks for names of tables sees what they
-- read: they run SQL that a text holds, read the table that one names or a number means, tell how many rows it has of
-- whomever, or count on elsewhere.  How their names begin.
M.READING = { "query_to_xml", "table_to_xml", "schema_to_xml", "database_to_xml", "cursor_to_xml", "ts_stat",
  "ts_rewrite", "dblink", "crosstab", "connectby", "xpath_table", "pg_stat_get_", "pg_relation_size", "pg_table_size",
  "pg_total_relation_size", "pg_indexes_size", "pg_relpages", "pgstat", "pg_sequence_last_value", "setval",
  "to_regclass" }

M.syntax = { parameter = "$%d", nested_comments = true, backslash_texts = true, slices = true,
  line_ends = "\r\n", reading_functions = M.READING, table_type = "regclass" }

--- What the configuration says of tenants, if anything.
local function tenancy() return require "rille.config".current().tenancy or {} end

function M.options(settings)
  local options = {}
  for _, key in ipairs(OPTIONS) do options[key] = settings[key] end
  options.max_connections = settings.pool and settings.pool.max
  options.place = settings.pooled and M.place(settings) or nil
  options.no_role_schema = tenancy().strategy == "schema" or nil       -- it may be a tenant's
  if settings.walled or tenancy().rls then options.walled = require "rille.tenant.wall".build() end
  return options
end

--- Never with the password.
function M.place(settings)
  local place = settings.url
  if place then
    place = place:gsub("^(%a+://[^:/?#@]*):[^/?#]*@", "%1@"):gsub("([?&]password=)[^&]*", "%1...")
    if settings.database then place = ("%s, database %s"):format(place, settings.database) end
  else
    local port = settings.port and ":" .. settings.port or ""
    place = ("postgresql://%s%s/%s"):format(settings.host or "", port, settings.database or "")
  end
  return settings.schema and ("%s, schema %s"):format(place, settings.schema) or place
end

local function decoded(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

--- Which server settings lead to, as a text.  Two texts may mean one server (`localhost`, `127.0.0.1`), but one text
--- never means two.
---@param settings table
---@return string
function M.server(settings)
  local authority, query = (settings.url or ""):match "^%a[%w+.-]*://([^/?#]*)[^?#]*%??([^#]*)"
  local given = { host = settings.host, port = settings.port }
  for key, value in (query or ""):gmatch "([^&=]+)=([^&]*)" do given[key] = given[key] or decoded(value) end
  local hosts = (authority or ""):gsub("^.*@", "")
  if hosts ~= "" and not given.host then
    given.host = decoded(hosts)
    if not given.port and hosts:find "^[^:,]*:%d+$" then given.host, given.port = given.host:match "^(.*):(%d+)$" end
  end
  return ("%s:%s %s%s"):format(given.host or os.getenv "PGHOST" or "", given.port or os.getenv "PGPORT" or "5432",
    given.hostaddr or "", given.service or "")
end

--- The name of the database that settings lead to; nil where they leave that to the server or the environment.
---@param settings table
---@return string?
function M.database(settings)
  local path, query = (settings.url or ""):match "^%a[%w+.-]*://[^/?#]*/?([^?#]*)%??([^#]*)"
  local said = ("&" .. (query or "")):match "&dbname=([^&]+)"
  if settings.database then return settings.database end
  if not said and path ~= "" then said = path end
  return said and decoded(said)
end

function M.probe(db)
  local row = db:query([[select current_setting('server_version') as version, pg_is_in_recovery() as replica,
    current_setting('default_transaction_read_only') = 'on' as readonly,
    pg_database_size(current_database()) as size_bytes]])[1]
  return { ok = true, writable = not row.replica and not row.readonly, version = row.version, replica = row.replica,
    foreign_keys = true, size_bytes = row.size_bytes }
end

--- SQL in which the conditions of a table's CHECKs stand behind their names.
function M.checks(handle, name)
  return handle:_query([[select coalesce(string_agg('constraint ' || quote_ident(conname) || ' '
    || pg_get_constraintdef(oid), ', '), '') as sql from pg_catalog.pg_constraint
    where contype = 'c' and conrelid = to_regclass(quote_ident(?))]], name)[1].sql
end

M.size = "select pg_database_size(current_database()) as bytes"

M.explain = "explain "

-- What a step is called -> what it does, in words that all databases share: see rille.Step.  The first that fits.
local KINDS <const> = { { "Seq Scan on", "scan" }, { "Index ", "index" }, { "Bitmap ", "index" }, { "Tid ", "index" },
  { "Sort", "sort" }, { "Nested Loop", "join" }, { " Join", "join" }, { "Aggregate", "group" }, { "Unique", "group" } }

local function step_of(detail, depth)
  local name, step = detail:match "^(.-)  %(cost" or "", { detail = detail, depth = depth, kind = "other" }
  for i = 1, name ~= "" and #KINDS or 0 do
    if name:find(KINDS[i][1], 1, true) then
      step.kind = KINDS[i][2]
      break
    end
  end
  step.index, step.table = name:match " using (%S+)", name:match " on (%S+)"
  if name:find("Bitmap Index Scan", 1, true) then step.index, step.table = step.table, nil end
  return step
end

--- The columns that a condition compares, as PostgreSQL prints it.
local function columns_of(condition)
  local names, seen = {}, {}
  condition = condition:gsub("'[^']*'", "?"):gsub("::%a[%a ]*", "")
  for name in condition:gmatch '([%a_][%w_]*)"?%)*%s*[=<>]' do
    if not seen[name] then names[#names + 1], seen[name] = name, true end
  end
  return #names > 0 and table.concat(names, ", ") or "the columns of the condition"
end

--- Of what costs little nothing is said: of few rows, reading all of them is the fastest way.
local function note_of(step, filter)
  if (tonumber(step.detail:match "cost=[%d.]+%.%.([%d.]+)") or 0) < WORTH_A_NOTE then return nil end
  if step.kind == "scan" then
    return ("every row of %s is read"):format(step.table)
      .. (filter and ("; an index on %s would help"):format(columns_of(filter)) or "")
  elseif step.kind == "sort" then
    return "rows are sorted; an index in that order would help"
  end
end

--- Lines of a tree: each step begins behind an arrow, and below it stands more about it.
function M.plan(rows)
  local steps, notes = {}, {}
  for i, row in ipairs(rows) do
    local indent, detail = row["QUERY PLAN"]:match "^(%s*)(.*)$"
    local name, below = detail:match "^%->%s+(.*)$", rows[i + 1] and rows[i + 1]["QUERY PLAN"]
    steps[i] = step_of(name or detail, #indent // 6 + (name and 2 or i == 1 and 1 or 3))
    notes[#notes + 1] = note_of(steps[i], below and below:match "^%s+Filter: (.*)$")
  end
  return steps, notes
end

-- SQL: by what different values of the column `a` of pg_attribute are equal.  A type is as its innermost one is.
-- Texts are compared by their collation alone in text, varchar and name; of the other types integers, uuid and enums
-- read no two ids as one.
M.ALIKE = [[(with recursive b (oid) as (select a.atttypid
      union all select t.typbasetype from b join pg_catalog.pg_type t on t.oid = b.oid where t.typtype = 'd')
    select case when not l.collisdeterministic then 'the collation ' || l.collname
      when t.oid not in (25, 1043, 19, 20, 21, 23, 2950) and t.typtype <> 'e'
        then 'the type ' || pg_catalog.format_type(t.oid, null) end
    from b join pg_catalog.pg_type t on t.oid = b.oid and t.typtype <> 'd'
    left join pg_catalog.pg_collation l on l.oid = a.attcollation)]]

-- The table that a name finds is the one that it is described by.
local ALIKE_OF <const> = "select " .. M.ALIKE .. [[ as alike from pg_catalog.pg_attribute a
  where a.attrelid = pg_catalog.to_regclass(pg_catalog.quote_ident($1)) and a.attname = $2]]

--- By their bytes alone texts of most columns are compared, which then need not be asked.  Of integers and uuids it is
--- asked where a cast takes texts for them, and one of these is written in many ways.
function M.alike(handle, description, column)
  local declared = column.declared
  if column.type == "integer" or column.type == "uuid" then return "the type " .. declared end
  if not column.collation and (declared == "text" or declared:find "^character varying") then return nil end
  return handle:_connect():query(ALIKE_OF, { description.name, column.name })[1].alike
end

function M.count_anew(handle, name)
  local quoted = '"' .. name:gsub('"', '""') .. '"'
  for _, column in ipairs(handle:describe(name).columns) do
    local made = handle:_query("select pg_catalog.pg_get_serial_sequence(?, ?) as name", quoted, column.name)[1].name
    if made then handle:_execute("alter sequence " .. made .. " restart") end
  end
end

function M.insert_and_read(handle, name, row)
  local primary = handle:describe(name).primary
  if #primary == 0 then
    Error.raise("unsupported", ("create: %s has no primary key, by which its row could be read again"):format(name), {
      table = name, hint = "db:insert(table, row) adds one and reads nothing back",
    })
  end
  local key = {}
  local count, invalid = require "rille.query.write".insert_returning(handle:table(name), { row }, primary, key)
  if not count then return nil, invalid end
  return handle:table(name):where(key):first()
end

return M
