--- rille.testing: what specs want: tests that leave nothing behind, a clock that stands, statements counted.
-- For busted, which it does not need: rolled_back, freeze and count work wherever Lua runs.  Where luassert is loaded,
-- requiring this teaches it the assertions of testing/assertion.lua.
local Error = require "rille.error"
local Statements = require "rille.testing.statements"
local Time = require "rille.testing.time"

local M = {}

--- Run each test of this block (a `describe`, or the file) in a transaction that is rolled back.  Inside, rille acts
-- as if there were none: what the code under test begins is told as a transaction, and when it commits, `after_commit`
-- runs.  Other coroutines cannot use the database meanwhile: they are told that it is busy.  Behind a test the clock
-- goes again, and the tenant is who it was before.  Hooks of busted in an outer block, or behind this call in the same
-- one, run after the rollback: call it at the top of the file.
---@param ... string  names of connections; all that are configured when absent
function M.transaction(...)
  require "rille.testing.isolation".transaction_in(require "rille.testing.block".words "testing.transaction", ...)
end

--- The same for one function: run it, take back what it did, and return what it returned.
---@param fn function
---@param ... any  for fn
---@return any ...
function M.rolled_back(fn, ...)
  if type(fn) ~= "function" then Error.argument("testing.rolled_back", "a function", fn) end
  return require "rille.testing.isolation".rolled_back(fn, ...)
end

--- Give each test of this block a database of its own, in memory, in the place of every configured one: migrated once,
-- then copied for each test, with what busted's `setup` of this block wrote.  Transactions are real there, and any
-- coroutine may begin one.
---@param options? { migrate: boolean?, seed: boolean? }  `migrate = false` makes no tables; `seed` runs the seeds
function M.fresh_database(options)
  options = Error.options("testing.fresh_database", options, { "migrate", "seed" })
  require "rille.testing.isolation".fresh_in(require "rille.testing.block".words "testing.fresh_database", options)
end

--- Stop the clock that timestamps and soft deletions are read from; `os.time()` and `os.date()` stand still with it.
-- It goes on when the test ends, where `transaction` or `fresh_database` was called, else with `unfreeze`.  SQL's own
-- functions (current_timestamp) know nothing of it.
---@param moment? string|number|osdate  as datetime columns take it; now when absent
---@return string moment  as a datetime column reads it
function M.freeze(moment) return Time.freeze(moment) end

--- Move the clock; one that stands stands at another moment, one that goes goes on from there.
---@param seconds number  forwards; back when negative
---@return string moment
function M.travel(seconds) return Time.travel(seconds) end

--- Let the clock go again, at the time it really is.
function M.unfreeze() Time.unfreeze() end

--- What time it is for rille.
---@return string
function M.now() return require "rille.clock".now() end

--- Call a function and count the statements that it sends; BEGIN, COMMIT and their like are not counted.
---@param fn function
---@param ... any  for fn
---@return integer count
---@return { sql: string, params: any[], ms: number, rows: integer }[] statements
function M.count(fn, ...)
  if type(fn) ~= "function" then Error.argument("testing.count", "a function", fn) end
  local heard = Statements.heard(fn, ...)
  return #heard, heard
end

if package.loaded.luassert then require "rille.testing.assertion".register(package.loaded.luassert) end

return M
