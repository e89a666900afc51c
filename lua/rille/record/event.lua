--- record.event: the hooks of a model, and what listens to all models, around what happens to one record.
-- One mechanism for both: hooks of the model first, in the order in which they were said, then `rille.on("model:…")`.
-- What happens between the first and the last of them is one transaction: a veto, an error, or a write that is refused
-- takes all of it back, also what the hooks themselves wrote.
local Error = require "rille.error"
local hook = require "rille.hook"
local enter = require "rille.transaction".enter

local M = {}

local listening = hook.listening
local AGAIN_MAX <const> = 10       -- how often something may happen to a record by its own hooks, one in the other
local going_on = setmetatable({}, { __mode = "k" })   -- record -> how often it is in M.around
local quiet = setmetatable({}, { __mode = "k" })      -- coroutine -> { [def] = how often } whose hooks do not run

-- Event of a record -> how whoever listens to all models calls it.
local NAME = {}
for _, event in ipairs(hook.model_events) do NAME[event] = "model:" .. event end

-- -- declaring ------------------------------------------------------------------------------------------------------

local function remove(def, event, fn)
  local rest, found = {}, false
  for _, other in ipairs(def.hooks[event] or {}) do
    if other == fn and not found then found = true else rest[#rest + 1] = other end
  end
  def.hooks[event] = rest[1] and rest or nil
  def.hooked = next(def.hooks) ~= nil
end

--- Call a function at an event until the returned function is called.
---@param def table        of the model
---@param event string     one of hook.model_events
---@param fn function
---@return fun() stop
function M.add(def, event, fn)
  local where = ("model %s: hooks"):format(def.name)
  if not NAME[event] then
    Error.unknown("invalid_argument", "event", event, hook.model_events, where, { model = def.name })
  end
  if type(fn) ~= "function" then Error.argument(("%s.%s"):format(where, event), "a function", fn) end
  local list = table.move(def.hooks[event] or {}, 1, #(def.hooks[event] or {}), 1, {})     -- somebody may walk it
  list[#list + 1] = fn
  def.hooks[event], def.hooked = list, true
  local added = true
  return function()
    if added then remove(def, event, fn) end
    added = false
  end
end

--- Hooks as a model declares them: event = function, or a list of functions.
---@param def table
---@param declared table
function M.declare(def, declared)
  for event, fns in next, declared do
    if type(fns) ~= "table" then fns = { fns } end
    if #fns == 0 then Error.argument(("model %s: hooks.%s"):format(def.name, tostring(event)), "a function", fns[1]) end
    for i = 1, #fns do M.add(def, event, fns[i]) end
  end
end

-- -- firing ---------------------------------------------------------------------------------------------------------

local function is_quiet(def)
  local some = quiet[coroutine.running()]
  return some ~= nil and some[def] ~= nil
end

--- Does anything listen to what happens to records of the model?
---@param def table
---@return boolean
function M.any(def)
  if not listening.model and not def.hooked then return false end
  return not is_quiet(def)
end

--- Tell that something happens to the record; false, and why, when it shall not.
---@param def table
---@param event string
---@param record rille.Record
---@return false|nil
---@return any why
local function fire(def, event, record)
  local fns = def.hooks[event]
  for i = 1, fns and #fns or 0 do
    local answer, why = fns[i](record)
    if answer == false then return false, why end
  end
  local name = NAME[event]
  if listening[name] then return hook.emit(name, { model = record._class, instance = record }) end
end

local function aborted(def, event, why)
  return Error.new("aborted", type(why) == "string" and why or ("%s: a hook of %q said no"):format(def.name, event), {
    model = def.name,
  })
end

local function between(record, info, before, after, fn, ...)
  local def = info.class._def
  for i = 1, #before do
    local answer, why = fire(def, before[i], record)
    if answer == false then return nil, aborted(def, before[i], why) end
  end
  local result, err, changed = fn(record, info, ...)
  if result and changed ~= false then
    for i = 1, #after do fire(def, after[i], record) end
  end
  return result, err
end

--- Hooks that save the record which is being saved would never come to an end.
local function raise_again(def, before)
  Error.raise("invalid_argument", ("%s: a hook around %q saves its own record, again and again"):format(def.name,
    table.concat(before, ", ")), {
    model = def.name, hint = "what a hook assigns before a save is what is stored; without_events(fn) saves quietly",
  })
end

--- Do something to a record between its events.  All is one transaction, which is rolled back unless it succeeds.
---@param record rille.Record
---@param info table
---@param before string[]   events that may veto
---@param after string[]    events that are told when a row was changed
---@param fn fun(record: rille.Record, info: table, ...): any, rille.Error?, boolean?   nil or false and an error when
--- it was refused; the third result is false when no row changed
---@param ... any           for fn
---@return any
---@return rille.Error? err
function M.around(record, info, before, after, fn, ...)
  local often = going_on[record] or 0
  if often == AGAIN_MAX then raise_again(info.class._def, before) end
  local tx <close> = enter(info.handle)
  going_on[record] = often + 1
  local ok, result, err = xpcall(between, Error.keep_trace, record, info, before, after, fn, ...)
  going_on[record] = often > 0 and often or nil
  if not ok then Error.again(result) end
  if not result then
    tx:rollback()
    return nil, err
  end
  tx:commit()
  return result
end

local function tell(def, records)
  for i = 1, #records do fire(def, "retrieved", records[i]) end
end

--- Tell that records have been read.
---@param def table
---@param records rille.Record[]
function M.retrieved(def, records)
  if not (def.hooks.retrieved or listening["model:retrieved"]) or is_quiet(def) then return end
  local ok, e = xpcall(tell, Error.keep_trace, def, records)
  if not ok then Error.again(e) end
end

local Quiet = {
  __close = function(self)
    self.some[self.def] = self.some[self.def] > 1 and self.some[self.def] - 1 or nil
  end,
}

--- Run a function in this coroutine without the events of the model's records.
---@param def table
---@param fn function
---@param ... any  for fn
---@return any ...  what fn returns
function M.without(def, fn, ...)
  if type(fn) ~= "function" then Error.argument("without_events", "a function", fn) end
  local owner = coroutine.running()
  local some = quiet[owner] or {}
  quiet[owner] = some
  some[def] = (some[def] or 0) + 1
  local loud <close> = setmetatable({ some = some, def = def }, Quiet)      -- luacheck: ignore 211
  return fn(...)
end

return M
