--- postgres.lock: one process migrates a database at a time.
-- The lock is one on the ledger's table, held by the transaction that also writes the ledger: it works behind a pooler,
-- which keeps a transaction on one session, and whatever ends the process or the connection gives it back.
local core = require "rille.core"
local Error = require "rille.error"

local M = {}

local LOCK_WAIT_MS <const> = 60000
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
  Error.raise("locked", ("another connection%s has been migrating this database for a minute"):format(who), {
    code = e.code, hint = "wait for it, or end it: select pg_terminate_backend(…)",
  })
end

--- Run a statement of the transaction, again while another connection holds the lock that it wants.
local function patiently(run, table_name, sql, deadline)
  while true do
    local e = run:attempt(sql)
    if not e then return nil end
    if e.kind ~= "busy" and e.kind ~= "timeout" then return e end
    if core.monotonic_ms() >= deadline then raise_locked(run, table_name, e) end
  end
end

--- Take the lock for the rest of the transaction; waits for whoever has it.
---@param run rille.PostgresRunner
---@param table_name string  the ledger
---@param creation string    the statement that makes it where it is missing
---@param name string        of the migration: whoever waits is told
function M.take(run, table_name, creation, name)
  local deadline = core.monotonic_ms() + LOCK_WAIT_MS
  local e = patiently(run, table_name, creation, deadline)
  -- Two that make it at once: the second is refused, and finds it.
  if e and e.kind ~= "unique_violation" then error(e, 0) end
  e = patiently(run, table_name, ('lock table "%s" in share row exclusive mode'):format(table_name), deadline)
  if e then error(e, 0) end
  run:rows("select pg_catalog.set_config('application_name', ?, true) as \"name\"",
    ("rille migrate %s"):format(name):sub(1, NAME_BYTES))
end

return M
