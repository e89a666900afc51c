--- record: one row as an object.
-- Its plain columns are the core's business (core/bind/record.c); what Lua adds to them is record/state.lua, how it
-- is saved record/saving.lua, what it is as plain data record/data.lua.  Here are the methods about attributes, and
-- what model.lua needs to make records.
local core = require "rille.core"
local Error = require "rille.error"
local State = require "rille.record.state"

local PREVIOUS <const> = 2
local null = core.null
local peek, original = core.record_peek, core.record_original
local collect_decoded, info_of, changes_of, is_dirty = State.collect_decoded, State.info_of, State.changes_of,
  State.is_dirty
local check_name, shown, reader, writer = State.check_name, State.shown, State.reader, State.writer

---@class rille.Record
local Record = State.methods

local Saving = require "rille.record.saving"
require "rille.record.data"

local M = {}

--- An attribute, an accessor or a column: the same as record[name].
function Record:get(name) return self[name] end

--- The same as record[name] = value.
---@return rille.Record self
function Record:set(name, value)
  self[name] = value
  return self
end

--- What the row holds, as read, whatever was assigned since.
function Record:get_original(name)
  local info = info_of(self)
  local class = info.class
  check_name(class, info, name)
  if info.casts[name] then return shown(info, name, (original(self, name, true))) end
  return (original(self, name))
end

--- What the row keeps, past all casts; a changed value in the form in which it will be kept.
function Record:raw(name)
  local info = info_of(self)
  local class = info.class
  check_name(class, info, name)
  collect_decoded(self, info)
  local state = peek(self)
  local value = state and state[name]
  if value == nil then return (original(self, name, true)) end
  if value == null then return nil end
  return value
end

--- Does something wait to be saved: anything, or this column?
function Record:is_dirty(...)
  local info, name = info_of(self), ...
  if select("#", ...) == 0 then return is_dirty(self, info) end
  check_name(info.class, info, name)
  collect_decoded(self, info)
  local state = peek(self)
  return state ~= nil and state[name] ~= nil
end

--- What waits to be saved: { column = { old, new } }.
function Record:changes() return changes_of(self, info_of(self)) end

--- What the last save changed: { column = { old, new } }.
function Record:previous_changes()
  local state = peek(self)
  local previous = state and state[PREVIOUS]
  if not previous then return {} end
  if previous.updated then return previous.updated end
  local info, changes = info_of(self), {}
  for name, value in next, previous do                      -- of an insert: the state it saved
    if type(name) == "string" then changes[name] = { nil, shown(info, name, value) } end
  end
  return changes
end

--- Did the last save change anything, or this column?
function Record:was_changed(...)
  local changes = Record.previous_changes(self)
  if select("#", ...) == 0 then return next(changes) ~= nil end
  local info, name = info_of(self), ...
  check_name(info.class, info, name)
  return changes[name] ~= nil
end

--- Is it in the database, as far as is known?
function Record:exists() return core.record_exists(self) end

--- The primary key: one value, or a list for a composite key.
function Record:key()
  local primary = info_of(self).primary
  if #primary == 1 then return self[primary[1]] end
  local key = {}
  for i, name in ipairs(primary) do key[i] = self[name] end
  return key
end

--- The same row of the same model?
function Record:is(other)
  if not core.is_record(other) or other._class ~= self._class then return false end
  for _, name in ipairs(info_of(self).primary) do
    if self[name] == nil or self[name] ~= other[name] then return false end
  end
  return true
end

local function refuse_key(class, info, name)
  local def = class._def
  if info.assignable[name] == false then
    Error.raise("mass_assignment", ("%s.%s cannot be set by create, update or fill"):format(def.name, tostring(name)), {
      model = def.name, column = name, hint = ("record.%s = value sets it on purpose"):format(tostring(name)),
    })
  end
  local known = {}
  for key, open in next, info.assignable do
    if open then known[#known + 1] = key end
  end
  table.sort(known)
  Error.unknown("mass_assignment", "attribute", name, known, def.name, { model = def.name, column = tostring(name) })
end

local function fill(record, info, attributes)
  local class = info.class
  if type(attributes) ~= "table" then
    Error.argument(class._def.name .. ":fill", "a table of attributes", attributes)
  end
  local tenant = class._def.tenant_column
  if tenant and attributes[tenant] ~= nil then require "rille.guard".check_attributes(class, attributes) end
  local refused = core.record_fill(record, attributes, info.assignable, info.direct)
  if refused ~= nil then refuse_key(class, info, refused) end
  return record
end

--- Set several attributes; all of them must be assignable.
---@param attributes table<string, any>
---@return rille.Record self
function Record:fill(attributes) return fill(self, info_of(self), attributes) end

-- -- for model.lua --------------------------------------------------------------------------------------------------

--- Attributes in the order of the columns; those that are nil come with nil.
local function each_attribute(record)
  local names, seen = core.record_names(record), {}
  for _, name in ipairs(names) do seen[name] = true end
  local info = info_of(record)
  for _, name in ipairs(info.names) do
    local state = peek(record)
    if not seen[name] and state and state[name] ~= nil then names[#names + 1] = name end
  end
  local i = 0
  return function()
    i = i + 1
    if names[i] then return names[i], record[names[i]] end
  end
end

--- Column -> the relations that it decides: what they gave is forgotten when it is assigned.  Nil without relations.
---@param def table
---@return table<string, string[]>?
local function depends(def)
  if next(def.relations) == nil then return nil end
  local relations_of = {}
  local function add(column, name)
    relations_of[column] = relations_of[column] or {}
    table.insert(relations_of[column], name)
  end
  for name, relation in next, def.relations do
    if relation.kind == "belongs_to" then
      for _, column in ipairs(relation.options.foreign_key or { name .. "_id" }) do add(column, name) end
    elseif relation.kind == "morph_to" then
      add((relation.options.name or name) .. "_id", name)
      add((relation.options.name or name) .. "_type", name)
    end
  end
  return relations_of
end

--- What the core needs to make records of a model.
---@param class rille.Model
---@param info table
---@return table
function M.behaviour(class, info)
  local def = class._def
  local methods = { _class = class, _info = info }
  for name, fn in next, Record do methods[name] = fn end
  for name, fn in next, def.methods do methods[name] = fn end
  local mutated = {}
  for name in next, def.mutators do mutated[name] = true end
  return {
    name = def.name, relations = depends(def), methods = methods, get = reader(class, info),
      set = writer(class, info), mutated = mutated,
    pairs = each_attribute,
    tostring = function(record)
      local ok, key = pcall(Record.key, record)
      return ("%s(%s)"):format(def.name, ok and (type(key) == "table" and table.concat(key,
        ", ") or tostring(key)) or "?")
    end,
  }
end

--- A method that hides one of every record, and an accessor that one hides, are mistakes: refuse them where they are
--- made.
---@param def table
function M.check_methods(def)
  for name in next, def.methods do
    if Record[name] or name:find "^_" then
      Error.raise("invalid_argument",
        ("model %s: the method %q would hide one that every record has"):format(def.name, name), {
        model = def.name, hint = "call it something else",
      })
    end
  end
  for name in next, def.accessors do
    if Record[name] or def.methods[name] then
      Error.raise("invalid_argument",
        ("model %s: the accessor %q is hidden by the method of that name"):format(def.name, name),
        { model = def.name, hint = "call it something else" })
    end
  end
end

local function new(class, attributes)
  local info = class._info
  if not info or info.version ~= info.handle.version or info.handle.closed then
    info = require "rille.model".info(class)
  end
  local record = core.record_new(info.source)
  if attributes ~= nil then fill(record, info, attributes) end
  return record, info
end

--- A record that is not saved.
---@param class rille.Model
---@param attributes? table<string, any>
---@return rille.Record
function M.new(class, attributes) return (new(class, attributes)) end

--- Make a record and save it.
---@param class rille.Model
---@param attributes? table<string, any>
---@return rille.Record|nil
---@return rille.Error? err
function M.create(class, attributes) return Saving.save(new(class, attributes)) end

--- The name of a record's model: rille.type(post) is "Post".
---@param value any
---@return string?  nil for what is no record
function M.type(value)
  if not core.is_record(value) then return nil end
  return value._class._def.name
end

return M
