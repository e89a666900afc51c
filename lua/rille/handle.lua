--- handle: one database as code without models sees it.
-- Behind it is one database of the core, which gives each coroutine that has a transaction a connection of its own.
local core = require "rille.core"
local Config = require "rille.config"
local Error = require "rille.error"
local Fetch = require "rille.fetch"
local Sql = require "rille.sql"
local Transaction = require "rille.transaction"

local SQL_OPTIONS = { "all_tenants", "skip_mirror" }

-- What an HTTP service would answer, by the kind of the error; any other kind is 500.
local STATUS = {
  not_found = 404, tenant_unknown = 404,
  not_unique = 409, unique_violation = 409, foreign_key_violation = 409, stale_object = 409, tenant_mismatch = 409,
  serialization_failure = 409, deadlock = 409,
  validation = 422, mass_assignment = 422, not_null_violation = 422, check_violation = 422, aborted = 422,
  syntax = 400, no_such_table = 400, no_such_column = 400, no_such_relation = 400, no_such_model = 400,
  invalid_argument = 400, unsupported = 400, unsafe_mutation = 400, missing_attribute = 400, tenant_required = 400,
  invalid_token = 400,
  busy = 503, locked = 503, timeout = 503, connection_lost = 503, disk_full = 503, replica_lag = 503, readonly = 503,
}

-- Words about a named table and its rows, and about a database as a whole -> where they are; loaded with the first.
local WORDS = { create_table = "rille.json_schema", json_schema = "rille.json_schema", size = "rille.open",
  copy_to = "rille.open", drop = "rille.open" }
for _, word in ipairs { "create", "insert", "find_by_id", "select", "update", "delete", "remove", "key_of",
  "find_by_id_with", "find_one_with", "find_all_with", "bulk_insert", "bulk_update", "bulk_delete" } do
  WORDS[word] = "rille.rows"
end
for _, word in ipairs { "mirror_sync", "mirror_status", "mirror_failed", "mirror_retry", "mirror_resync",
  "mirror_verify", "mirror_stop", "skip_mirror" } do
  WORDS[word] = "rille.mirror"
end

---@class rille.Handle
---@field name string
---@field driver string
---@field settings table         as in config.lua
---@field _core table|false      the database of the core, once it is open
---@field version integer        counts changes of the schema: what is known of tables holds for one version
---@field closed boolean
---@field mirrors? rille.Mirror[]  what its writes are repeated in
---@field followed? table<string, integer>  those of them that are kept up in the background, as the core counts them
---@field tenant string|false   the slug of the tenant whose database it is
---@field descriptions? { version: integer, of: table<string, table> }  what `described` was told
---@field read? { version: integer, schema: integer, table: string, at: string }  when tables were first looked at
local Handle = setmetatable({}, {
  __index = function(_, name) return WORDS[name] and require(WORDS[name])[name] or nil end,
})
Handle.__index = Handle
Handle.__name = "rille.Handle"
Handle.__tostring = function(self) return ("rille.Handle: %s (%s)"):format(self.name, self:place()) end

local M = {}

local engine_of = setmetatable({}, { __index = function(known, driver)
  known[driver] = require("rille.handle." .. driver)
  return known[driver]
end })

local open_handles = setmetatable({}, { __mode = "k" })

local function next_open(_, handle)
  repeat handle = next(open_handles, handle) until not handle or handle._core
  return handle
end

--- The handles of which a database is open, in no order: for handle in each_open() do.
---@return fun(_: any, handle: rille.Handle?): rille.Handle?
function M.each_open() return next_open end

--- A handle of a configured connection; nothing is opened yet.
---@param name string
---@param settings table  a connection as config.lua completes it
---@return rille.Handle
function M.new(name, settings)
  return setmetatable({
    name = name, driver = settings.driver, settings = settings, _core = false, version = 0, closed = false,
    tenant = false,
  }, Handle)
end

--- What is otherwise on its database than on others.
function Handle:engine() return engine_of[self.driver] end

--- Where its database is, for people.
---@return string
function Handle:place() return self:engine().place(self.settings) end

local function open(self)
  if self.closed then
    Error.raise("invalid_argument", ("connection %q was closed"):format(self.name), {
      hint = "rille.db() gives the handle of what is connected now",
    })
  end
  local tenancy = Config.current().tenancy
  if tenancy and tenancy.rls then require "rille.tenant.wall".check_engine(self) end
  local options = self:engine().options(self.settings)
  options.name = self.name
  self._core = core.open(options)
  open_handles[self] = true
  local session = Config.current().session
  if Fetch.session or session and session.enabled then self._core:count(true) end
  if self._core:mirrored() then require "rille.mirror".remember(self) end
  if self.settings.mirror ~= nil then require "rille.mirror".register(self, self.settings.mirror) end
  return self._core
end

--- The database of the core, opened when it is first asked for.
---@return table db
function Handle:_connect() return self._core or open(self) end

--- Close the database; the handle is of no use afterwards.
function Handle:close()
  local db = self._core
  self.closed, self._core = true, false
  if Fetch.session then Fetch.session.closed(self) end
  if db then db:close() end
end

--- The text and parameters for the core.  Transactions are begun and ended where their levels are counted.
local function checked(self, word, sql, ...)
  local text, params, about = Sql.placeholders(word, self.driver, sql, ...)
  if about == "control" then
    local shown = Error.quote(text)
    Error.raise("invalid_argument", ("%s: %s would begin or end a transaction unseen"):format(word, shown), {
      hint = "rille.transaction(fn), or rille.begin() with commit and rollback",
    })
  end
  return text, params, about
end

local function run_query(self, sql, ...)
  local text, params, about = checked(self, "query", sql, ...)
  local rows, names = Fetch.call(self, "query", text, params)
  if about == "schema" then self:forget() end
  return require "rille.list".wrap(rows), names
end

local function run_execute(self, sql, ...)
  local text, params, about = checked(self, "execute", sql, ...)
  local changes, last_id = Fetch.call(self, "execute", text, params)
  if about == "schema" then self:forget() end
  return { changes = changes, last_id = last_id }
end

-- SQL of rille itself, which needs no leave of a tenant.
Handle._query, Handle._execute = run_query, run_execute

-- Nobody knows whose rows the caller's own SQL reads, so inside a tenant it says that it means everybody's:
-- `{ all_tenants = true }` behind its values.  `{ skip_mirror = true }` stands there too.
local with_leave
function with_leave(word, run, self, sql, ...)
  local count = select("#", ...)
  local last = count > 0 and select(count, ...)
  local options = type(last) == "table" and getmetatable(last) == nil and last or nil
  if options and options.skip_mirror ~= nil then
    Error.options(word, options, SQL_OPTIONS)
    local rest = table.pack(...)
    if options.all_tenants ~= nil then
      rest[count] = { all_tenants = options.all_tenants }
    else
      rest.n = count - 1
    end
    return require "rille.mirror".skipping(self, options, with_leave, word, run, self, sql,
      table.unpack(rest, 1, rest.n))
  elseif options and options.all_tenants ~= nil then
    Error.options(word, options, SQL_OPTIONS)
    if last.all_tenants == true then
      if not next(core.tenants) then return run(self, sql, table.unpack({ ... }, 1, count - 1)) end
      require "rille.guard".told(word, sql)
      return require "rille.tenant.context".everybody(run, self, sql, table.unpack({ ... }, 1, count - 1))
    end
  end
  if next(core.tenants) then require "rille.guard".check_raw(word, self, sql) end
  return run(self, sql, ...)
end

Handle._with_leave = with_leave

--- The rows of a statement, as plain tables; NULL is absent.
---@param sql string  `?` for each value, `??` for a question mark, or `:name` with one table
---@param ... any     the values; rille.null is NULL; inside a tenant { all_tenants = true } behind them
---@return rille.List rows
---@return string[] names  of the columns, in order
function Handle:query(sql, ...) return with_leave("query", run_query, self, sql, ...) end

--- Run a statement for what it does.
---@param sql string  placeholders as in query
---@param ... any     as in query
---@return { changes: integer, last_id: integer? }  last_id: PostgreSQL tells it where the statement returns it
function Handle:execute(sql, ...) return with_leave("execute", run_execute, self, sql, ...) end

local function result(self, sql, ...)
  if type(sql) == "string" and not Sql.gives_rows(sql, self.driver) then
    local done = self:execute(sql, ...)
    return { ok = true, status = 200, json = {}, changes = done.changes, last_id = done.last_id }
  end
  return { ok = true, status = 200, json = (self:query(sql, ...)) }
end

--- Run a statement and say how it went; never raises.
---@param sql string  placeholders as in query
---@param ... any
---@return { ok: boolean, status: integer, json: table[]?, error: rille.Error?, changes: integer?, last_id: integer? }
function Handle:result(sql, ...)
  local ok, got = xpcall(result, Error.keep_trace, self, sql, ...)
  if ok then return got end
  local e = Error.is(got) and got or Error.new("script", tostring(got), { traceback = Error.traceback(got) })
  return { ok = false, status = STATUS[e.kind] or 500, error = e }
end

--- A query of a table that gives plain tables.
---@param name string
---@param options? { all_tenants: boolean? }  of a view, whose rows no tenant limits: everybody's are meant
---@return rille.Query
function Handle:table(name, options)
  return require "rille.query".for_table(self, name, options)
end

--- Run `fn` in a transaction of this database.  See transaction.lua, as for begin and snapshot.
function Handle:transaction(fn, options) return Transaction.run(self, fn, options) end
function Handle:begin(options) return Transaction.begin(self, options) end
function Handle:snapshot(fn) return Transaction.snapshot(self, fn) end

--- Names of the tables and views, sorted.
---@return string[]
function Handle:tables() return self:_connect():tables() end

--- What the database says of a table; nil when there is none.
---@param name string
---@return table?
function Handle:describe(name)
  if type(name) ~= "string" then Error.argument("describe", "the name of a table", name) end
  local description = self:_connect():describe(name)
  if not description then return nil end
  if not self.read or self.read.version ~= self.version then
    self.read = { version = self.version, schema = description.schema, table = name, at = core.now() }
  end
  description.schema = nil                               -- of all tables, so no part of what this one is
  return description
end

--- The same for whoever is content with what held when the schema was last read, and changes nothing of it.
---@param name string
---@return table?
function Handle:described(name)
  local kept = self.descriptions
  if not kept or kept.version ~= self.version then
    kept = { version = self.version, of = {} }
    self.descriptions = kept
  end
  local description = kept.of[name] or self:describe(name)
  kept.of[name] = description
  return description
end

--- Has another connection changed the schema since it was read here?  Then what is known of tables is dropped.
---@return string|nil read_at  when it was read, if it has changed
function Handle:notice()
  local db, read = self._core, self.read
  if not db or not read or read.version ~= self.version then return nil end
  db:trace(false)                                        -- nobody who listens to statements asked for this one
  local ok, now = pcall(db.describe, db, read.table)
  db:trace(require "rille.hook".listening.query, true)
  if not ok or now and now.schema == read.schema then return nil end
  self:forget()
  return read.at
end

--- An error is about to say that a column is not known: perhaps it was not when the schema was read, and is now.
function core.error.__unknown(e)
  for handle in next, open_handles do
    local read_at = handle:notice()
    if read_at then
      e.hint = ("another connection changed the schema of %s, which was read at %s: it is read anew, try again"):format(
        Error.quote(handle:place()), read_at)
    end
  end
end

--- The schema changed: drop what is known of tables.
function Handle:forget()
  self.version = self.version + 1
  if core.wall[2] then require "rille.tenant.wall".again() end
  if self._core then self._core:forget() end
end

--- Does the database answer, and can it be written?  Never raises: `ok` is false and `error` says why.
---@return { ok: boolean, driver: string, database: string, ms: number, writable: boolean?, replicas: table[]? }
function Handle:health()
  local start = core.monotonic_ms()
  local ok, health = xpcall(function()
    local health = self:engine().probe(self:_connect())
    if self.settings.replicas then health.replicas = require "rille.session.nodes".health(self) end
    return health
  end, Error.keep_trace)
  if not ok then
    health = { ok = false, error = Error.is(health) and health or Error.new("script", tostring(health)) }
  end
  health.name, health.driver, health.database = self.name, self.driver, self:place()
  health.ms = core.monotonic_ms() - start
  return health
end

return M
