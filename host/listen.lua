--- listen: a hook in C hears what a hook in Lua hears, at the same places and with the same say.
local Autoload = require "rille.autoload"
local Error = require "rille.error"
local Event = require "rille.record.event"
local hook = require "rille.hook"
local Record = require "rille.record"

local GO_ON <const>, VETO <const>, FAILED <const> = 0, 1, -1

local IS_KIND, NAME, NAMES = {}, {}, {}      -- NAME: event as rille_on takes it for all models -> as rille.on does
for _, kind in ipairs(Error.kinds) do IS_KIND[kind] = true end
for _, event in ipairs(hook.events) do NAME[event] = event end
for _, event in ipairs(hook.model_events) do NAME[event] = "model:" .. event end
for event in next, NAME do NAMES[#NAMES + 1] = event end

local function fail(what, event, answer, err)
  local model = Record.type(what)
  if answer ~= FAILED then
    Error.raise("script", ("a hook in C of %q returned %d"):format(event, answer), {
      model = model, hint = "0 goes on, 1 is a veto, -1 says that it failed",
    })
  elseif err.message == "" then
    Error.raise("script", ("a hook in C of %q failed and did not say why"):format(event), {
      model = model, hint = "it may fill err->message before it returns -1",
    })
  end
  Error.raise(IS_KIND[err.kind] and err.kind or "script", err.message, {
    model = model, hint = err.hint ~= "" and err.hint or nil, traceback = err.traceback ~= "" and err.traceback or nil,
  })
end

--- Call a hook in C at each event of a model, or of all models, until the returned function is called.
---@param model string?  nil or "*" for all
---@param event string
---@param call fun(what: any): integer, table?  what the hook returned, and what it left in its rille_error
---@return fun() stop
return function(model, event, call)
  local function ask(what)
    local answer, err = call(what)
    if answer == GO_ON then return end
    if answer ~= VETO then fail(what, event, answer, err) end
    return false, err.message ~= "" and err.message or nil
  end
  if model ~= nil and model ~= "*" then return Event.add(Autoload.model(model)._def, event, ask) end
  local name = NAME[event] or Error.unknown("invalid_argument", "event", event, NAMES, "rille_on")
  if not name:find "^model:" then return hook.on(name, ask) end
  return hook.on(name, function(info) return ask(info.instance) end)
end
