--- runner: where schema statements run: all of a change or nothing.
-- What a database needs besides (SQLite: foreign keys switched off where a table is rebuilt) its own runner adds.
local core = require "rille.core"
local Error = require "rille.error"
local Transaction = require "rille.transaction"

local LOCK_WAIT_MS = 60000        -- for another process that migrates; the connection's busy timeout is for rows
local IMPATIENT_MS = 10           -- a connection that gives up sooner was told not to wait

local CHANGES_SCHEMA = { create = true, alter = true, drop = true }

---@class rille.SchemaRunner
---@field handle rille.Handle
local Runner = {}
Runner.__index = Runner

--- A runner for a handle.
---@param handle rille.Handle
---@return rille.SchemaRunner
function Runner.new(handle)
  return setmetatable({ handle = handle }, require "rille.schema.engine".of(handle).Runner)
end

--- Run one statement for what it does.
function Runner:execute(sql, ...)
  sql = require "rille.schema.rehearsal".plain(self.handle, sql)
  local done = self.handle:_execute(sql, ...)
  local word = sql:match "^%s*(%a+)"
  -- Statements that are kept from before were made for another schema.
  if word and CHANGES_SCHEMA[word:lower()] then self.handle:forget() end
  return done
end

--- Run a statement of a file, which has no values.
---@param sql string
function Runner:literally(sql)
  if require "rille.sql".gives_rows(sql, self.handle.driver) then self:rows(sql) else self:execute(sql) end
end

--- The rows of one statement.
---@return table[]
function Runner:rows(sql, ...) return (self.handle:_query(sql, ...)) end

--- The only value of the only row, which the statement calls `value`.
function Runner:value(sql, ...) return self:rows(sql, ...)[1].value end

--- The rows of a statement, or nil and what the database has against it; anything else (Ctrl-C) is raised.
---@return table[]? rows
---@return rille.Error? e
function Runner:try(sql, ...)
  local ok, rows = pcall(self.rows, self, sql, ...)
  if ok then return rows end
  if not Error.is(rows) or rows.kind == "interrupted" then error(rows, 0) end
  return nil, rows
end

--- Is a transaction of this coroutine open?
---@return boolean
function Runner:in_transaction() return Transaction.innermost(self.handle) ~= nil end

--- Begin, waiting for another process that holds the lock for long.
local function begin_patiently(handle)
  local deadline = core.monotonic_ms() + LOCK_WAIT_MS
  while true do
    local start = core.monotonic_ms()
    local ok, tx = pcall(handle.begin, handle)
    if ok then return tx end
    local now = core.monotonic_ms()
    if not Error.is(tx, "busy") or now - start < IMPATIENT_MS then error(tx, 0) end
    if now >= deadline then
      Error.raise("locked", "another connection has been writing to this database for a minute", {
        code = tx.code, hint = "if that is another migration, wait for it; otherwise end what holds the lock",
      })
    end
  end
end

--- What the schema looked like may have been taken back: nobody shall remember it.
local Forget = { __close = function(self) self.handle:forget() end }

--- Run `fn` in a transaction, or in a savepoint of the one that is open.
---@param fn fun(): any
---@return any
function Runner:transact(fn)
  local forget <close> = setmetatable({ handle = self.handle }, Forget)        -- luacheck: ignore 211
  local tx <close> = self:in_transaction() and self.handle:begin() or begin_patiently(self.handle)
  self.handle:forget()                -- from here on nobody else changes the schema
  local result = fn()
  tx:commit()
  return result
end

--- Run `fn`: all of it happens or nothing.
---@param fn fun(): any
---@return any
function Runner:change(fn) return self:transact(fn) end

--- Run `fn` in a transaction with foreign keys off; only SQLite has such a switch.
function Runner:without_foreign_keys()
  Error.raise("unsupported", ("%s cannot switch foreign keys off"):format(self.handle.driver), {
    hint = "`pragma foreign_keys` is a word of SQLite: leave it out",
  })
end

return Runner
