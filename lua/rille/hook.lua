--- hook: who hears an event of the whole program, and what stops it.
-- Hot code reads `hook.listening[event]`, which is nil while nobody listens, before it builds what it would tell.
local Error = require "rille.error"

local M = {}

--- What happens to one record, in the order of its life; hooks of a model have these names too.
M.model_events = {
  "retrieved", "creating", "created", "updating", "updated", "saving", "saved", "deleting", "deleted",
  "restoring", "restored", "force_deleting", "force_deleted",
}

--- Every event that `rille.on` knows.
M.events = {
  "query", "slow_query", "transaction:start", "transaction:commit", "transaction:rollback", "tenant:bypass",
  "session:lost",
}
for _, name in ipairs(M.model_events) do M.events[#M.events + 1] = "model:" .. name end

local IS_EVENT = {}
for _, event in ipairs(M.events) do IS_EVENT[event] = true end

--- Event -> true while somebody listens.  A slow query is found by timing every query, so it counts there; `model` is
--- any of those of models.
---@type table<string, true|nil>
M.listening = {}

-- Event -> list of { fn =, inside = { [coroutine] = true } }; a list is never changed while somebody may walk it.
local listeners = {}

local Inside = { __close = function(self) self.listener.inside[self.owner] = nil end }

local function update(event)
  local some = listeners[event] ~= nil
  if event == "query" or event == "slow_query" then
    M.listening.query = (listeners.query or listeners.slow_query) and true or nil
  end
  if event ~= "query" then M.listening[event] = some and true or nil end
  M.listening.model = nil
  for _, name in ipairs(M.model_events) do
    if listeners["model:" .. name] then M.listening.model = true end
  end
end

--- Call `fn` at each event until the returned function is called.
---@param event string  one of hook.events
---@param fn function
---@return fun() stop
function M.on(event, fn)
  if not IS_EVENT[event] then Error.unknown("invalid_argument", "event", event, M.events, "on") end
  if type(fn) ~= "function" then Error.argument("on", "a function", fn) end
  local listener = { fn = fn, inside = setmetatable({}, { __mode = "k" }) }
  local list = table.move(listeners[event] or {}, 1, #(listeners[event] or {}), 1, {})
  list[#list + 1] = listener
  listeners[event] = list
  update(event)
  return function()
    local rest = {}
    for _, other in ipairs(listeners[event] or {}) do
      if other ~= listener then rest[#rest + 1] = other end
    end
    listeners[event] = rest[1] and rest or nil
    update(event)
  end
end

local function call(listener, owner, ...)
  listener.inside[owner] = true
  local leaving <close> = setmetatable({ listener = listener, owner = owner }, Inside)     -- luacheck: ignore 211
  return listener.fn(...)
end

--- Tell everybody who listens, in the order they came.  What a listener raises is raised; what it does inside is not
--- told to itself, so that a listener of "query" may query.
---@param event string
---@param ... any
---@return false|nil veto  false when a listener returned false, which ends the telling
---@return any why         what it returned beside it
function M.emit(event, ...)
  local list = listeners[event]
  if not list then return end
  local owner = coroutine.running()
  for i = 1, #list do
    if not list[i].inside[owner] then
      local answer, why = call(list[i], owner, ...)
      if answer == false then return false, why end
    end
  end
end

--- Tell of a statement that was run; to be called where `listening.query` is set.
---@param info { sql: string, params: table?, ms: number, rows: integer, connection: string, tenant: rille.Tenant? }
function M.query(info)
  M.emit("query", info)
  if listeners.slow_query and info.ms >= require "rille.config".current().slow_query_ms then
    M.emit("slow_query", info)
  end
end

return M
