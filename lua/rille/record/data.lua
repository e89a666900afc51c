--- record.data: a record as plain data: tables and JSON.
-- Both show the same: the columns in the order of the table, other outputs of the query, the loaded relations in the
-- order of their names, and what `appends` adds.  What that is for one record, its shape, is said here; the core writes
-- JSON by it (core/bind/json_record.c).
local core = require "rille.core"
local Error = require "rille.error"
local State = require "rille.record.state"
local copy = require "rille.copy"

local state_of, peek, is_record = core.record_state, core.record_peek, core.is_record

---@class rille.Record
local Record = State.methods

local M = {}

local EXTRA <const> = 4
local OPTIONS <const> = { "hidden", "visible", "appends" }
local NOTHING <const> = {}
local NO_EXTRA <const> = { shown = NOTHING, hidden = NOTHING }

-- -- what a record shows --------------------------------------------------------------------------------------------

--- Raise unless the record has something of that name to show.
local function check_known(record, info, name)
  local def = info.class._def
  if info.has[name] or def.accessors[name] or def.relations[name] then return end
  local _, is_output = core.record_original(record, tostring(name))
  if is_output or State.relations_of(record)[name] ~= nil then return end
  State.unknown_attribute(info.class, info, name)
end

local function per_call(record, word, names)
  local info = State.info_of(record)
  for _, name in ipairs(names) do check_known(record, info, name) end
  local state = state_of(record)
  local extra = state[EXTRA] or { shown = {}, hidden = {} }
  state[EXTRA] = extra
  for _, name in ipairs(names) do
    extra.shown[name], extra.hidden[name] = nil, nil
    extra[word][name] = true
  end
  return record
end

--- Show what the model hides; hide what it shows: for this record, until the other of the two says otherwise.
---@return rille.Record self
function Record:make_visible(...) return per_call(self, "shown", { ... }) end
function Record:make_hidden(...) return per_call(self, "hidden", { ... }) end

--- Raise unless these are options of to_table and to_json.
---@param where string
---@param options? table
function M.check_options(where, options)
  if options == nil then return end
  if type(options) ~= "table" then Error.argument(where, "a table of options", options) end
  Error.options(where, options, OPTIONS)
  for option, names in next, options do
    local place = ("%s: %s"):format(where, option)
    if type(names) ~= "table" then Error.argument(place, "a list of names", names) end
    for i, name in next, names do
      if math.type(i) ~= "integer" or type(name) ~= "string" then Error.argument(place, "a list of names", name) end
    end
  end
end

--- What is hidden, what alone is shown (nil: all else), and what is appended: by the model, then by make_visible and
--- make_hidden, then by the call, which has the last word.
local function choices(record, info, extra, options)
  local def = info.class._def
  local hidden, only, appends = copy(def.hidden), def.visible and copy(def.visible), table.move(def.appends, 1,
    #def.appends, 1, {})
  local function show(name)
    hidden[name] = nil
    if only then only[name] = true end
  end
  for name in next, extra.shown do show(name) end
  for name in next, extra.hidden do hidden[name] = true end
  if options.visible then
    only = {}
    for _, name in ipairs(options.visible) do
      check_known(record, info, name)
      show(name)
      if def.accessors[name] then appends[#appends + 1] = name end
    end
  end
  for _, name in ipairs(options.appends or NOTHING) do
    if not def.accessors[name] then
      Error.unknown("no_such_column", "accessor", name, require "rille.keys"(def.accessors), def.name, {
        model = def.name, column = name,
      })
    end
    show(name)
    appends[#appends + 1] = name
  end
  for _, name in ipairs(options.hidden or NOTHING) do
    check_known(record, info, name)
    hidden[name] = true
  end
  return hidden, only, appends
end

--- The names of the attributes: columns that the row has or that were assigned, in the order of the table, then the
--- other outputs of the query.
local function attribute_names(record, info)
  local outputs, names, has = core.record_names(record), {}, {}
  local state = peek(record) or {}
  for _, name in ipairs(outputs) do has[name] = true end
  for _, name in ipairs(info.names) do
    if has[name] or state[name] ~= nil then names[#names + 1] = name end
  end
  for _, name in ipairs(outputs) do
    if not info.has[name] then names[#names + 1] = name end
  end
  return names
end

local function is_shown(shape, name)
  return not shape.hidden[name] and (not shape.only or shape.only[name] == true)
end

--- The names of the attributes that a record shows, in order, and what else belongs to it: `appends`, a list of names;
--- `hidden` and `only`, which decide about relations; `texts`, the columns that keep JSON.
---@param record rille.Record
---@param options? { hidden: string[]?, visible: string[]?, appends: string[]? }
---@return table
function M.shape(record, options)
  local info, state = State.info_of(record), peek(record)
  local def, extra = info.class._def, state and state[EXTRA]
  local hidden, only, appends = def.hidden, def.visible, def.appends
  if extra or options then hidden, only, appends = choices(record, info, extra or NO_EXTRA, options or NOTHING) end
  local shape, seen = { hidden = hidden, only = only, appends = {}, texts = info.json_texts }, {}
  local function add(list, names)
    for _, name in ipairs(names) do
      if not seen[name] and is_shown(shape, name) then
        list[#list + 1] = name
        seen[name] = true
      end
    end
  end
  add(shape, attribute_names(record, info))
  add(shape.appends, appends)
  return shape
end

-- -- tables ---------------------------------------------------------------------------------------------------------

local table_of

--- A value as plain data; nil for a record that is inside itself.  `open` holds the records that are being shown.
local function plain(value, open)
  if is_record(value) then
    if open[value] then return nil end
    return table_of(value, nil, open)
  end
  if type(value) == "table" and getmetatable(value) == require "rille.list" then return M.list(value, nil, open) end
  return value
end

function table_of(record, options, open)
  open[record] = true
  local shape, out = M.shape(record, options), {}
  for _, name in ipairs(shape) do out[name] = plain(record[name], open) end
  for name, value in next, State.relations_of(record) do
    if value and is_shown(shape, name) then out[name] = M.item(value, open) end
  end
  for _, name in ipairs(shape.appends) do out[name] = plain(record[name], open) end
  open[record] = nil
  return out
end

--- An element of a list or what a relation holds: a plain row is copied.
---@param value any
---@param open table<rille.Record, boolean>
---@param options? table
---@return any
function M.item(value, open, options)
  if type(value) == "table" and getmetatable(value) == nil then return copy(value) end
  if options and is_record(value) then return table_of(value, options, open) end
  return plain(value, open)
end

--- The elements of a list as plain data.
---@param list any[]
---@param options? table
---@param open? table<rille.Record, boolean>
---@return any[]
function M.list(list, options, open)
  local out, n = {}, 0
  open = open or {}
  for i = 1, #list do
    local item = M.item(list[i], open, options)
    if item ~= nil then
      n = n + 1
      out[n] = item
    end
  end
  return out
end

--- A plain table of what is visible: attributes, loaded relations and what `appends` adds; NULL is absent, and so is a
--- record inside itself.
---@param options? { hidden: string[]?, visible: string[]?, appends: string[]? }  for this call and this record
---@return table<string, any>
function Record:to_table(options)
  M.check_options("to_table", options)
  return table_of(self, options, {})
end

--- The same as a JSON object, in this order, with null for NULL and base64 for bytes.
---@param options? { hidden: string[]?, visible: string[]?, appends: string[]? }
---@return string
function Record:to_json(options)
  M.check_options("to_json", options)
  return core.json(self, "to_json", M.shape, options)
end

return M
