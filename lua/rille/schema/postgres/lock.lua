--- postgres.lock: one process migrates a database at a time.
-- The lock is one on the ledger's table, held by the transaction that also writes the ledger: it works behind a pooler,
-- which keeps a transaction on one session, and whatever ends the process or the connection gives it back.
local core = require "rille.core"
local Error = require "rille.error"
local Value = require "rille.schema.value"

local M = {}

local LOCK_WAIT_MS <const> = 60000
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

--- Run a statement of the transaction, again while another connection holds the lock that it wants.
local function patiently(run, table_name, sql, deadline)
  while true do
    local start = core.monotonic_ms()
    local e = run:attempt(sql)
    if not e then return nil end
    if e.kind ~= "busy" and e.kind ~= "timeout" then return e end
    local now = core.monotonic_ms()
    if now >= deadline or now - start < IMPATIENT_MS then raise_locked(run, table_name, e) end
  end
end

--- Take the lock for the rest of the transaction; waits for whoever has it.
---@param run rille.PostgresRunner
---@param table_name string  the ledger
---@param creation string    the statement that makes it where it is missing
function M.take(run, table_name, creation)
  local deadline = core.monotonic_ms() + LOCK_WAIT_MS
  local e = patiently(run, table_name, creation, deadline)
  -- Two that make it at once: the second is refused, and finds it.
  if e and e.kind ~= "unique_violation" then error(e, 0) end
  e = patiently(run, table_name, ('lock table "%s" in share row exclusive mode'):format(table_name), deadline)
  if e then error(e, 0) end
end

--- The ledger was read, and the migration begins: whoever waits is told which.
-- A transaction keeps the snapshot of its last query until another statement runs, and `create index concurrently`
-- waits for snapshots: this statement takes none.
---@param run rille.PostgresRunner
---@param name string  of the migration
function M.settle(run, name)
  local said = Value.literal(("rille migrate %s"):format(name:gsub("[^ -~]", "?")):sub(1, NAME_BYTES))
  run:execute("set local application_name = " .. said)
  run:execute "set local idle_in_transaction_session_timeout = 0"      -- while another connection does the work
end

return M
