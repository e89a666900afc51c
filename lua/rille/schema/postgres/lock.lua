--- postgres.lock: one process migrates a database at a time.
-- The lock is one on the ledger's table, held by the transaction that also writes the ledger: it works behind a pooler,
-- which keeps a transaction on one session, and whatever ends the process or the connection gives it back.
-- `create index concurrently` waits, until they end, for transactions that it finds with a snapshot, which any
-- statement takes that looks something up.  So nobody waits for the lock inside of a transaction, and one that has it
-- for an index reads nothing: each would wait for the other.
local core = require "rille.core"
local Catalog = require "rille.schema.postgres.catalog"
local Error = require "rille.error"
local Value = require "rille.schema.value"

local M = {}

local WAIT_MS <const>, LOOK_MS <const> = 60000, 100
local IMPATIENT_MS <const> = 100       -- a connection that gives up sooner was told not to wait
local NAME_BYTES <const> = 63          -- as much of application_name is kept

local HOLDER <const> = [[select a.pid as "pid", a.application_name as "name",
    pg_catalog.age(pg_catalog.clock_timestamp(), a.xact_start)::text as "since"
  from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a on a.pid = l.pid
  where l.locktype = 'relation' and l.database = (select d.oid from pg_catalog.pg_database d
      where d.datname = pg_catalog.current_database())
    and l.mode = 'ShareRowExclusiveLock' and l.granted and l.pid <> pg_catalog.pg_backend_pid()
    and l.relation = pg_catalog.to_regclass(?)]]

local function raise_locked(run, table_name, e)
  local holder = run:rows(HOLDER, '"' .. table_name .. '"')[1]
  local who = holder and (" (server process %d, %q%s)"):format(holder.pid, holder.name, holder.since
    and ", since " .. holder.since or "") or ""
  Error.raise("locked", ("another connection%s is migrating this database"):format(who), {
    code = e.code, hint = "wait for it, or end it: select pg_terminate_backend(…)",
  })
end

local function attempt(run, table_name, sql)
  local e = run:attempt(sql)
  if e and (e.kind == "busy" or e.kind == "timeout") then raise_locked(run, table_name, e) end
  return e
end

--- Make the ledger where it is missing; raises `locked` where another connection is about to.
---@param run rille.PostgresRunner
---@param table_name string  the ledger
---@param creation string    the statement that makes it where it is missing
function M.make(run, table_name, creation)
  local e = attempt(run, table_name, creation)
  -- Two that make it at once: the second is refused, by one name of the table or another, and finds it.
  if e and not Catalog.has_table(run, table_name) then error(e, 0) end
end

--- Take the lock for the rest of the transaction; raises `locked` where another connection has it.
---@param run rille.PostgresRunner
---@param table_name string  the ledger, which is there
function M.take(run, table_name)
  local e = attempt(run, table_name, ('lock table "%s" in share row exclusive mode nowait'):format(table_name))
  if e then error(e, 0) end
end

--- How long the settings of the connection allow to wait for the lock.
local function patience_ms(run)
  local ms = run:value "select setting::int as value from pg_catalog.pg_settings where name = 'lock_timeout'"
  return ms > 0 and ms < IMPATIENT_MS and 0 or WAIT_MS
end

--- Call what takes the lock in a transaction of its own, again as long as it fails since another connection has it.
---@param run rille.PostgresRunner
---@param try fun(): boolean, any                  what xpcall gives
---@param may_again fun(e: any): boolean          was the lock what it failed for?
---@return boolean ok
---@return any e
function M.patiently(run, try, may_again)
  local start, patience = core.monotonic_ms(), nil
  while true do
    local ok, e = try()
    if ok or not may_again(e) then return ok, e end
    patience = patience or patience_ms(run)
    if core.monotonic_ms() - start >= patience then return ok, e end
    core.pause(LOOK_MS)
  end
end

--- The ledger was read, and the migration begins: whoever waits is told which.
-- A transaction keeps the snapshot of its last query until another statement runs: this one takes none.
---@param run rille.PostgresRunner
---@param name string  of the migration
function M.settle(run, name)
  local said = Value.literal(("rille migrate %s"):format(name:gsub("[^ -~]", "?")):sub(1, NAME_BYTES))
  run:execute("set local application_name = " .. said)
  run:execute "set local idle_in_transaction_session_timeout = 0"      -- while another connection does the work
end

return M
