--- fetch: the one exit to the core; whoever listens to "query" is told here.
local Error = require "rille.error"
local hook = require "rille.hook"

local listening = hook.listening

local M = {
  session = false,       -- the module of that name, once there was a session: it hears of each statement
}

local home                       -- rille.tenant.home, once there is a handle of a tenant

local function check(handle, strict)
  home = home or require "rille.tenant.home"
  home.check(handle, strict)
end

-- The statement has been run: tells what it was, and at which replica.
local function told(handle, db, node, ...)
  local last = db:last()
  db:trace(false)
  if last then
    last.connection = handle.name
    last.tenant = require "rille.tenant".current()
    if node then last.replica, last.waited_ms = node.number, node.waited_ms end
    hook.query(last)
  end
  return ...
end

local function failed(handle, db, node, e)
  pcall(told, handle, db, node)
  error(e, 0)
end

local function pass(handle, db, node, ok, ...)
  if ok then return told(handle, db, node, ...) end
  return failed(handle, db, node, ...)
end

-- On a database of the core, that of the handle or of one of its replicas, while somebody listens.
local function run_traced(handle, db, node, method, ...)
  db:trace(true)
  return pass(handle, db, node, pcall(db[method], db, ...))
end

local function run(handle, db, node, method, a, b, c, d)
  if not listening.query then return db[method](db, a, b, c, d) end
  return run_traced(handle, db, node, method, a, b, c, d)
end

-- The same for a record by its key.  The core counts what it is given, so nothing stands behind the key.
local function run_find(handle, db, node, _, source, key)
  if not listening.query then return (db:find(source, key)) end
  return (run_traced(handle, db, node, "find", source, key))
end

local function run_find_by(handle, db, node, _, source, keys)
  if not listening.query then return (db:find(source, table.unpack(keys))) end
  return (run_traced(handle, db, node, "find", source, table.unpack(keys)))
end

--- Call a method of the core's database for a handle.  A fixed number of arguments: this is the way of every statement.
---@param handle rille.Handle
---@param method string  a method of the core, see core/bind/open.c
---@param a any          its arguments
---@param b any
---@param c any
---@param d any
---@return any ...       its results
function M.call(handle, method, a, b, c, d)
  if handle.tenant then check(handle, false) end
  if M.session then return M.session.call(handle, run, method, a, b, c, d) end
  local db = handle._core or handle:_connect()
  if not listening.query then return db[method](db, a, b, c, d) end
  return run_traced(handle, db, nil, method, a, b, c, d)
end

--- An error of a statement that writes, as it is raised: it says of which model.
---@param e any
---@param handle rille.Handle
---@param class rille.Model?
---@param method string  what failed, and its arguments
---@return any e
function M.failed_write(e, handle, class, method, a, b, c)
  if not Error.is(e) then return e end
  if class and not e.model then e.model = class._def.name end
  if e.kind == "foreign_key_violation" then require "rille.violation".explain(e, handle, method, a, b, c) end
  return e
end

local function pass_write(handle, class, method, a, b, c, ok, ...)
  if ok then return ... end
  error(M.failed_write((...), handle, class, method, a, b, c), 0)
end

--- The same for a method that writes rows of a model (nil: of a table without one).
---@param handle rille.Handle
---@param class rille.Model?
---@param method string
---@return any ...
function M.write(handle, class, method, a, b, c, d)
  if handle.tenant and class then check(handle, true) end
  return pass_write(handle, class, method, a, b, c, pcall(M.call, handle, method, a, b, c, d))
end

--- The record with a primary key of one column, or nil.
---@param handle rille.Handle  the current tenant's, if it is any tenant's: whoever has it from `info` has seen to that
---@param source userdata  of the model
---@param key any
---@return rille.Record?
function M.find(handle, source, key)
  if M.session then return (M.session.call(handle, run_find, "find", source, key)) end
  return run_find(handle, handle._core or handle:_connect(), nil, "find", source, key)
end

--- The same with a primary key of any number of columns.
---@param handle rille.Handle
---@param source userdata
---@param keys any[]  a value for each column
---@return rille.Record?
function M.find_by(handle, source, keys)
  if M.session then return (M.session.call(handle, run_find_by, "find", source, keys)) end
  return run_find_by(handle, handle._core or handle:_connect(), nil, "find", source, keys)
end

return M
