--- record.data: a record as plain data: tables and JSON.
local core = require "rille.core"
local State = require "rille.record.state"

local null = core.null
local state_of, peek = core.record_state, core.record_peek

---@class rille.Record
local Record = State.methods

local EXTRA <const> = 4

local function per_call(record, word, names)
  local info = State.info_of(record)
  for _, name in ipairs(names) do
    local _, has = core.record_original(record, tostring(name))
    if not (info.has[name] or info.class._def.accessors[name] or has) then
      State.unknown_attribute(info.class, info, name)
    end
  end
  local state = state_of(record)
  state[EXTRA] = state[EXTRA] or {}
  state[EXTRA][word] = state[EXTRA][word] or {}
  for _, name in ipairs(names) do state[EXTRA][word][name] = true end
  return record
end

--- Show columns that the model hides; hide some that it shows: for this record.
---@return rille.Record self
function Record:make_visible(...) return per_call(self, "shown", { ... }) end
function Record:make_hidden(...) return per_call(self, "hidden", { ... }) end

local function is_visible(def, extra, name)
  if extra.hidden and extra.hidden[name] then return false end
  if extra.shown and extra.shown[name] then return true end
  if def.visible then return def.visible[name] == true end
  return not def.hidden[name]
end

--- A plain table of the visible attributes and what `appends` adds; NULL is absent.
---@return table<string, any>
function Record:to_table()
  local class, out = self._class, {}
  local def, state = class._def, peek(self)
  local extra = state and state[EXTRA] or {}
  for name, value in pairs(self) do
    if is_visible(def, extra, name) then out[name] = value end
  end
  for _, name in ipairs(def.appends) do
    if not (extra.hidden and extra.hidden[name]) then out[name] = self[name] end
  end
  return out
end

---@return string
function Record:to_json()
  local data = Record.to_table(self)
  for name in pairs(self) do
    local state = peek(self)
    if data[name] == nil and is_visible(self._class._def, state and state[EXTRA] or {}, name) then data[name] = null end
  end
  return require "rille.json".encode(data, self._class._def.name)
end
