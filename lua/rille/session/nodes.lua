--- session.nodes: the primary and the replicas of a connection, and statements of a session that go to one of them.
local Error = require "rille.error"
local Route = require "rille.session.route"
local Sql = require "rille.sql"
local core = require "rille.core"
local copy = require "rille.copy"
local hook = require "rille.hook"

local M = {}

local listening = hook.listening
local READS = { all = true, first = true, cursor = true, pluck = true, aggregate = true, exists = true, related = true,
  together = true, find = true }

local routes = setmetatable({}, { __mode = "k" })        -- handle -> its route, once there was a session

--- Is the connection one whose history the server counts, so that there may be replicas of it?
---@param handle rille.Handle
---@return boolean
function M.has(handle) return routes[handle] ~= nil or handle:engine().counts_commits end

local function open(handle, number)
  local settings = copy(handle.settings)
  for _, key in ipairs { "host", "port", "database", "user", "password", "replicas" } do settings[key] = nil end
  settings.url = handle.settings.replicas[number]
  local options = handle:engine().options(settings)
  options.name = ("%s, replica %d"):format(handle.name, number)
  return core.open(options)
end

--- The way to its nodes.
---@param handle rille.Handle
---@return rille.Route
function M.route(handle)
  local route = routes[handle]
  if not route then
    local replicas = handle.settings.replicas or {}
    route = Route.new(handle:_connect(), #replicas, function(number) return open(handle, number) end)
    routes[handle] = route
  end
  return route
end

--- The handle is about to be closed.
---@param handle rille.Handle
function M.close(handle)
  local route = routes[handle]
  routes[handle] = nil
  if route then route:close() end
end

--- Does it only read, as far as can be told?  A server that only repeats refuses what writes after all.
local function is_read(method, sql)
  return method == "query" and Sql.only_reads(sql, "postgres")
end

local Untracked = { __close = function(self) self.db:track(false) end }

--- What was done is done: from here on nothing but its own error may be raised, or it would be done again.
local function finish(db, seen, ok, ...)
  seen.looked = db
  if not ok then error((...), 0) end
  return ...
end

--- What was seen behind the last thing that was done at the primary.  It comes after its result: nobody waits for it
-- until it is needed.
---@param seen rille.Seen
function M.look(seen)
  local db = seen.looked
  seen.looked = nil
  local looked, place = pcall(db.seen, db)
  if looked and place and pcall(seen.saw, place) then
    seen.asked = db
  else
    seen.primary, seen.late = true, true                  -- nobody knows where that was: it is asked for before more
  end
end

--- Do something at the primary and look where it is then.
---@param db table  of the core
---@param seen rille.Seen
---@return any ...  what the function gives
function M.at_primary(db, seen, fn, ...)
  M.route(seen.handle):notice(seen)
  db:track(true)
  local after <close> = setmetatable({ db = db }, Untracked)           -- luacheck: ignore 211
  return finish(db, seen, pcall(fn, ...))
end

local function primary(handle, seen, run, method, a, b, c, d)
  local db = handle:_connect()
  if seen.unsaid or seen.bound then M.route(handle):show(seen) end
  return M.at_primary(db, seen, run, handle, db, nil, method, a, b, c, d)
end

--- What was read at a replica; else the same once more, at the primary.
local function or_primary(handle, seen, route, replica, run, method, a, b, c, d, ok, ...)
  if ok and seen.generation == replica.db:generation() then
    seen.unsaid = true
    return ...
  end
  if not ok and not route:forgive(replica, (...)) then error((...), 0) end
  if ok then replica.place = false end                    -- it was connected anew meanwhile, to whatever
  return primary(handle, seen, run, method, a, b, c, d)
end

--- Run a statement of a session outside of transactions.
---@param handle rille.Handle
---@param seen rille.Seen
---@param run fun(handle: rille.Handle, db: table, node: table|nil, ...): any ...
---@param method string
---@param a any  its arguments
---@param b any
---@param c any
---@param d any
---@return any ...
function M.call(handle, seen, run, method, a, b, c, d)
  local reads, route = READS[method] or is_read(method, a), M.route(handle)
  if not reads then return primary(handle, seen, run, method, a, b, c, d) end
  if #route.replicas == 0 then
    route:show(seen)
    route:notice(seen)
    seen.late = true                                       -- nowhere else to go: asked for when it is wanted
    return run(handle, handle:_connect(), nil, method, a, b, c, d)
  end
  local replica, waited_ms = route:choose(seen)
  if not replica then return primary(handle, seen, run, method, a, b, c, d) end
  local node = listening.query and { number = replica.number, waited_ms = waited_ms }
  return or_primary(handle, seen, route, replica, run, method, a, b, c, d,
    pcall(run, handle, replica.db, node, method, a, b, c, d))
end

local WHERE <const> = [[select pg_is_in_recovery() as replica, case when pg_is_in_recovery()
  then pg_is_wal_replay_paused() else false end as paused, (case when pg_is_in_recovery()
  then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end - '0/0')::bigint as position]]

--- How the replicas of a connection are: asked one after the other, each for as long as connecting may take.
---@param handle rille.Handle
---@return { number: integer, ok: boolean, behind_bytes: integer?, paused: boolean?, error: rille.Error? }[]?  nil: none
function M.health(handle)
  local count = #(handle.settings.replicas or {})
  if count == 0 then return nil end
  local list, ahead = {}, handle:_connect():query(WHERE)[1].position
  for number, replica in ipairs(M.route(handle).replicas) do
    local state = { number = number, ok = false }
    local ok, seen = pcall(function()
      replica.db = replica.db or open(handle, number)
      return replica.db:query(WHERE)[1]
    end)
    if not ok then
      state.error = seen
    elseif not seen.replica then
      state.error = Error.new("invalid_argument", "the server is a primary, not a replica")
    else
      state.ok, state.paused, state.behind_bytes = true, seen.paused, math.max(0, ahead - (seen.position or 0))
    end
    list[number] = state
  end
  return list
end

return M
