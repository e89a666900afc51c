--- record: one row as an object; reads and writes what is no plain column, saves changes.
-- The core keeps the row and answers for plain columns (core/bind/record.c); here is what Lua adds: accessors, mutators,
-- casts in Lua, and saving.  Changed columns stand in the record's state table in the form that the column keeps; what a
-- cast of Lua decoded stands in state[DECODED], and is compared with the row when the record is saved, so that a change
-- inside a table is seen.
local core = require "rille.core"
local Cast = require "rille.cast"
local Error = require "rille.error"
local fetch = require "rille.fetch"

local PREVIOUS <const>, DECODED <const> = 2, 3
local null = core.null
local state_of, peek, original, put = core.record_state, core.record_peek, core.record_original, core.record_put

local M = {}

---@class rille.Record
local Record = {}

-- A name whose accessor or mutator runs: inside, it means the column itself.
local inside = setmetatable({}, { __mode = "k" })

local Leave = { __close = function(self) inside[self.record] = self.before end }

local function enter(record, name)
  local guard = setmetatable({ record = record, before = inside[record] }, Leave)
  inside[record] = { name = name, outer = guard.before }
  return guard
end

local function is_inside(record, name)
  local each = inside[record]
  while each and each.name ~= name do each = each.outer end
  return each ~= nil
end

-- -- reading --------------------------------------------------------------------------------------------------------

--- The value of a column that Lua decodes, kept from the first read on.
local function read_cast(record, name, cast)
  local state = state_of(record)
  local decoded = state[DECODED]
  if not decoded then
    decoded = {}
    state[DECODED] = decoded
  end
  local value = decoded[name]
  if value == nil then
    local stored = state[name]
    if stored == nil then stored = original(record, name, true) end
    if stored == nil or stored == null then return nil end
    value = cast.load(stored)
    if value == nil then return nil end
    decoded[name] = value
  end
  return value
end

local function read_column(record, info, name)
  local cast = info.casts[name]
  if cast then return read_cast(record, name, cast) end
  local state = peek(record)
  local value = state and state[name]
  if value == nil then value = original(record, name) end
  if value == null then return nil end
  return value
end

local function was_selected(record, name)
  local state = peek(record)
  if state and state[name] ~= nil then return true end
  if not core.record_exists(record) then return true end
  local _, has = original(record, name)
  return has
end

local function missing(class, name)
  Error.raise("missing_attribute", ("%s.%s was not selected by the query that read this record"):format(class._def.name,
    name), { model = class._def.name, column = name, hint = ('add_select("%s"), or record:refresh()'):format(name) })
end

local function known_names(class, info)
  local names = {}
  for name in next, info.has do names[#names + 1] = name end
  for name in next, class._def.accessors do names[#names + 1] = name end
  for name in next, class._def.methods do names[#names + 1] = name end
  for name in next, Record do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function unknown_attribute(class, info, name)
  Error.unknown("no_such_column", "attribute", name, known_names(class, info), class._def.name, {
    model = class._def.name, column = tostring(name),
  })
end

--- The function that the core asks for all names that are no plain column and no method.
local function reader(class, info)
  local accessors = class._def.accessors
  return function(record, name)
    local accessor = accessors[name]
    if accessor and not is_inside(record, name) then
      local guard <close> = enter(record, name)      -- luacheck: ignore 211
      if not info.has[name] then return (accessor(record)) end
      if not was_selected(record, name) then missing(class, name) end
      return (accessor(record, read_column(record, info, name)))
    end
    if info.has[name] then
      if not was_selected(record, name) then missing(class, name) end
      return read_column(record, info, name)
    end
    local value, has = original(record, tostring(name))
    if has then return value end                     -- an output of the query that is no column
    return unknown_attribute(class, info, name)
  end
end

-- -- writing --------------------------------------------------------------------------------------------------------

local function write_cast(record, name, cast, value)
  local state = state_of(record)
  local decoded = state[DECODED] or {}
  state[DECODED] = decoded
  local stored = Cast.dump(cast, value)
  put(record, name, stored)
  decoded[name] = nil
  if stored ~= null and type(value) == "table" then decoded[name] = value end
end

local function write_column(record, info, name, value)
  local cast = info.casts[name]
  if cast then return write_cast(record, name, cast, value) end
  put(record, name, value)
end

--- The function that the core asks to write what is no plain column, or has a mutator.
local function writer(class, info)
  local mutators = class._def.mutators
  return function(record, name, value)
    local mutator = mutators[name]
    if mutator and not is_inside(record, name) and value ~= nil and value ~= null then
      local guard <close> = enter(record, name)      -- luacheck: ignore 211
      local made = mutator(record, value)
      if info.has[name] then write_column(record, info, name, made) end
      return
    end
    if not info.has[name] and not mutator then
      if class._def.accessors[name] or Record[name] or class._def.methods[name] then
        Error.raise("invalid_argument", ("%s.%s is no column: it cannot be assigned"):format(class._def.name, name), {
          model = class._def.name, column = name,
        })
      end
      unknown_attribute(class, info, name)
    end
    if info.has[name] then write_column(record, info, name, value) end
  end
end

-- -- changes --------------------------------------------------------------------------------------------------------

--- Put what was changed inside decoded tables among the changes.
local function collect_decoded(record, info)
  local state = peek(record)
  local decoded = state and state[DECODED]
  if not decoded then return end
  for name, value in next, decoded do
    local cast = info.casts[name]
    if cast and type(value) == "table" then
      local stored = Cast.dump(cast, value)
      local before = state[name]
      if before == nil then before = original(record, name, true) end
      if stored ~= before and not (type(before) == "string" and stored == Cast.dump(cast, cast.load(before))) then
        put(record, name, stored)
      end
    end
  end
end

local function info_of(class)
  if class == nil then
    Error.raise("invalid_argument", "a record was expected", { hint = "methods are called with a colon: record:save()" })
  end
  local info = class._info
  if info and info.version == info.handle.version and not info.handle.closed then return info end
  return require "rille.model".info(class)
end

--- A stored value as a person reads it.
local function shown(info, name, stored)
  if stored == nil or stored == null then return nil end
  local cast = info.casts[name]
  if cast then return cast.load(stored) end
  return stored
end

local function changes_of(record, info)
  collect_decoded(record, info)
  local state, changes = peek(record), {}
  for name, value in next, state or {} do
    if type(name) == "string" then
      local old = info.casts[name] and original(record, name, true) or original(record, name)
      changes[name] = { shown(info, name, old), shown(info, name, value) }
    end
  end
  return changes
end

local function is_dirty(record, info)
  collect_decoded(record, info)
  for name in next, peek(record) or {} do
    if type(name) == "string" then return true end
  end
  return false
end

local function check_name(class, info, name)
  if not info.has[name] then unknown_attribute(class, info, name) end
end

--- The primary key as the columns keep it: that of the row as it was read, or with the changes that wait.
local function stored_key(record, info, as_read)
  local key, state = {}, not as_read and peek(record) or {}
  for i, name in ipairs(info.primary) do
    local value = state[name]
    if value == nil then value = original(record, name, true) end
    if value ~= null then key[i] = value end
  end
  return key
end

local function gone(record, class, verb)
  local shown_key = {}
  for i, value in ipairs(stored_key(record, info_of(class), true)) do shown_key[i] = tostring(value) end
  Error.raise("stale_object", ("the %s with the key %s is no longer there: it cannot be %s"):format(class._def.name,
    table.concat(shown_key, ", "), verb), { model = class._def.name, table = class._def.table })
end

--- Was it read from the database or saved, whatever became of the row since?
local function has_row(record, info)
  local _, has = original(record, info.primary[1] or info.names[1])
  return has
end

--- Raise unless the record is in the database, as far as is known.
local function check_there(record, class, verb)
  if core.record_exists(record) then return end
  if has_row(record, info_of(class)) then gone(record, class, verb) end
  Error.raise("invalid_argument", ("this %s was never saved: it cannot be %s"):format(class._def.name, verb), {
    model = class._def.name,
  })
end

-- -- attributes -----------------------------------------------------------------------------------------------------

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
  local class = self._class
  local info = info_of(class)
  check_name(class, info, name)
  if info.casts[name] then return shown(info, name, (original(self, name, true))) end
  return (original(self, name))
end

--- What the row keeps, past all casts; a changed value in the form in which it will be kept.
function Record:raw(name)
  local class = self._class
  local info = info_of(class)
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
  local class, name = self._class, ...
  local info = info_of(class)
  if select("#", ...) == 0 then return is_dirty(self, info) end
  check_name(class, info, name)
  collect_decoded(self, info)
  local state = peek(self)
  return state ~= nil and state[name] ~= nil
end

--- What waits to be saved: { column = { old, new } }.
function Record:changes() return changes_of(self, info_of(self._class)) end

--- What the last save changed: { column = { old, new } }.
function Record:previous_changes()
  local state = peek(self)
  local previous = state and state[PREVIOUS]
  if not previous then return {} end
  if previous.updated then return previous.updated end
  local info, changes = info_of(self._class), {}
  for name, value in next, previous do                      -- of an insert: the state it saved
    if type(name) == "string" then changes[name] = { nil, shown(info, name, value) } end
  end
  return changes
end

--- Did the last save change anything, or this column?
function Record:was_changed(...)
  local changes = Record.previous_changes(self)
  if select("#", ...) == 0 then return next(changes) ~= nil end
  local class, name = self._class, ...
  check_name(class, info_of(class), name)
  return changes[name] ~= nil
end

--- Is it in the database, as far as is known?
function Record:exists() return core.record_exists(self) end

--- The primary key: one value, or a list for a composite key.
function Record:key()
  local primary = info_of(self._class).primary
  if #primary == 1 then return self[primary[1]] end
  local key = {}
  for i, name in ipairs(primary) do key[i] = self[name] end
  return key
end

--- The same row of the same model?
function Record:is(other)
  if not core.is_record(other) or other._class ~= self._class then return false end
  for _, name in ipairs(info_of(self._class).primary) do
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

--- Set several attributes; all of them must be assignable.
---@param attributes table<string, any>
---@return rille.Record self
function Record:fill(attributes)
  local class = self._class
  local info = info_of(class)
  if type(attributes) ~= "table" then Error.argument(class._def.name .. ":fill", "a table of attributes", attributes) end
  local refused = core.record_fill(self, attributes, info.assignable, info.direct)
  if refused ~= nil then refuse_key(class, info, refused) end
  return self
end

-- -- saving ---------------------------------------------------------------------------------------------------------

--- Run a method of the core that writes the record; what was stamped for it is taken back when it fails.
local function write(record, info, stamped, also, method, ...)
  local ok, a, b = pcall(fetch.call, info.handle, method, record, ...)
  if ok then return a, b end
  local state = state_of(record)
  if stamped then state[stamped] = nil end
  if also then state[also] = nil end
  error(a, 0)
end

local function insert(record, class, info)
  if has_row(record, info) then gone(record, class, "saved") end
  collect_decoded(record, info)
  local created_at, updated_at = info.created_at, info.updated_at
  if created_at or updated_at then
    local state, now = state_of(record), core.now()
    if created_at and state[created_at] == nil then put(record, created_at, now) else created_at = nil end
    if updated_at and state[updated_at] == nil then put(record, updated_at, now) else updated_at = nil end
  end
  write(record, info, created_at, updated_at, "insert_record")
end

--- Take the row as it is now; changes that wait are dropped.
local function read_again(record, class, info, as_read)
  local fresh = fetch.find(info.handle, info.source, table.unpack(stored_key(record, info, as_read)))
  if not fresh then gone(record, class, "read again") end
  core.record_take(record, fresh)
end

local function update(record, class, info)
  local updated_at = info.updated_at
  if updated_at and state_of(record)[updated_at] == nil then put(record, updated_at, core.now()) else updated_at = nil end
  local previous = { updated = changes_of(record, info) }
  local changed, whole = write(record, info, updated_at, nil, "update_record", nil, previous)
  if changed ~= 1 then
    if updated_at then state_of(record)[updated_at] = nil end
    gone(record, class, "saved")
  end
  if not whole then
    read_again(record, class, info)
    state_of(record)[PREVIOUS] = previous
  end
end

--- Put the changes that wait aside, but for some columns; the function that is returned puts them back.
local function set_aside(record, info, ...)
  collect_decoded(record, info)
  local state, changes = state_of(record), {}
  local decoded = state[DECODED] or {}
  for name, value in next, state do
    if type(name) == "string" then changes[name] = value end
  end
  for _, name in ipairs { ... } do changes[name] = nil end
  for name in next, changes do state[name] = nil end
  return function()
    local now = state_of(record)
    now[DECODED] = now[DECODED] or {}
    for name, value in next, changes do
      put(record, name, value)
      now[DECODED][name] = decoded[name]
    end
  end
end

--- Write what was changed; nothing when nothing was.
---@return rille.Record self
function Record:save()
  local class = self._class
  local info = info_of(class)
  if not core.record_exists(self) then
    insert(self, class, info)
  elseif is_dirty(self, info) then
    update(self, class, info)
  end
  return self
end

--- Set attributes and save.
---@param attributes table<string, any>
---@return rille.Record self
function Record:update(attributes)
  return Record.save(Record.fill(self, attributes))
end

local function remove(record, class, info)
  check_there(record, class, "deleted")
  if fetch.call(info.handle, "delete_record", record) ~= 1 then gone(record, class, "deleted") end
  return true
end

local function soft_column(record, method)
  local class = record._class
  local column = class._def.soft_deletes
  if not column then
    Error.raise("unsupported", ("%s: the model %s does not delete softly"):format(method, class._def.name), {
      model = class._def.name,
    })
  end
  return column
end

--- Delete the row; a model with soft_deletes marks it instead.
---@return boolean true
function Record:delete()
  local class = self._class
  local column = class._def.soft_deletes
  local info = info_of(class)
  if not column then return remove(self, class, info) end
  check_there(self, class, "deleted")
  if self[column] == nil then
    local put_back = set_aside(self, info)
    put(self, column, core.now())
    update(self, class, info)
    put_back()
  end
  return true
end

--- Delete the row for good.
---@return boolean true
function Record:force_delete()
  local class = self._class
  return remove(self, class, info_of(class))
end

--- Is it soft-deleted?
function Record:trashed() return self[soft_column(self, "trashed")] ~= nil end

--- Take a soft deletion back.
---@return rille.Record self
function Record:restore()
  local column = soft_column(self, "restore")
  check_there(self, self._class, "restored")
  self[column] = nil
  return Record.save(self)
end

--- Read the row again, dropping what was changed.
---@return rille.Record self
function Record:refresh()
  local class = self._class
  local info = info_of(class)
  if not has_row(self, info) then check_there(self, class, "read again") end
  read_again(self, class, info, true)
  return self
end

--- The row as it is now, as another record; nil when it is gone.
function Record:fresh()
  local class = self._class
  local info = info_of(class)
  if not has_row(self, info) then check_there(self, class, "read again") end
  return (fetch.find(info.handle, info.source, table.unpack(stored_key(self, info, true))))
end

--- A copy that is not saved: without key and timestamps.
---@return rille.Record
function Record:replicate()
  local class = self._class
  local info, copy = info_of(class), core.record_new(info_of(class).source)
  local leave = { [info.created_at or 1] = true, [info.updated_at or 1] = true }
  for _, name in ipairs(info.primary) do leave[name] = true end
  for _, name in ipairs(info.names) do
    local column = info.has[name]
    if not leave[name] and not column.generated and was_selected(self, name) then
      local value = Record.raw(self, name)
      if value ~= nil then put(copy, name, value) end
    end
  end
  return copy
end

--- Set updated_at to now and save.
---@return rille.Record self
function Record:touch()
  local class = self._class
  local column = info_of(class).updated_at
  if not column then
    Error.raise("unsupported", ("touch: the model %s has no updated_at"):format(class._def.name), { model = class._def.name })
  end
  check_there(self, class, "touched")
  self[column] = core.now()
  return Record.save(self)
end

--- The query of the record's row alone, whatever scopes the model has.
local function row_query(record, class, info)
  local Query = require "rille.query"
  local query, key = class:query():with_trashed(), stored_key(record, info, true)
  for _, name in ipairs(class._def.global_scope_names) do query = query:without_global_scope(name) end
  for i, name in ipairs(info.primary) do query = Query.node(query, core.op.compare, 0, name, "=", key[i]) end
  return query
end

local function add(record, word, name, by)
  local class = record._class
  local info = info_of(class)
  check_name(class, info, name)
  if by == nil then by = 1 end
  if type(by) ~= "number" then Error.argument(("%s:%s"):format(class._def.name, word), "a number", by) end
  check_there(record, class, "changed")
  local query = row_query(record, class, info)
  if query[word](query, name, by) ~= 1 then gone(record, class, "changed") end
  local put_back = set_aside(record, info, name, info.updated_at)
  read_again(record, class, info, true)
  put_back()
  return record
end

--- Add to a column in the database, whatever others do meanwhile, and read the row again; changes of other columns wait on.
---@return rille.Record self
function Record:increment(name, by) return add(self, "increment", name, by) end
function Record:decrement(name, by) return add(self, "decrement", name, by) end

-- -- as plain data --------------------------------------------------------------------------------------------------

local EXTRA <const> = 4

local function per_call(record, word, names)
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

-- -- for model.lua --------------------------------------------------------------------------------------------------

--- Attributes in the order of the columns; those that are nil come with nil.
local function each_attribute(record)
  local names, seen = core.record_names(record), {}
  for _, name in ipairs(names) do seen[name] = true end
  local info = info_of(record._class)
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

--- What the core needs to make records of a model.
---@param class rille.Model
---@param info table
---@return table
function M.behaviour(class, info)
  local def = class._def
  local methods = { _class = class }
  for name, fn in next, Record do methods[name] = fn end
  for name, fn in next, def.methods do methods[name] = fn end
  local mutated = {}
  for name in next, def.mutators do mutated[name] = true end
  return {
    name = def.name, methods = methods, get = reader(class, info), set = writer(class, info), mutated = mutated,
    pairs = each_attribute,
    tostring = function(record)
      local ok, key = pcall(Record.key, record)
      return ("%s(%s)"):format(def.name, ok and (type(key) == "table" and table.concat(key, ", ") or tostring(key)) or "?")
    end,
  }
end

--- A method that hides one of every record, and an accessor that one hides, are mistakes: refuse them where they are made.
---@param def table
function M.check_methods(def)
  for name in next, def.methods do
    if Record[name] or name:find "^_" then
      Error.raise("invalid_argument", ("model %s: the method %q would hide one that every record has"):format(def.name, name), {
        model = def.name, hint = "call it something else",
      })
    end
  end
  for name in next, def.accessors do
    if Record[name] or def.methods[name] then
      Error.raise("invalid_argument", ("model %s: the accessor %q is hidden by the method of that name"):format(def.name, name),
        { model = def.name, hint = "call it something else" })
    end
  end
end

--- A record that is not saved.
---@param class rille.Model
---@param attributes? table<string, any>
---@return rille.Record
function M.new(class, attributes)
  local record = core.record_new(info_of(class).source)
  if attributes == nil then return record end
  return Record.fill(record, attributes)
end

M.save = Record.save

--- The name of a record's model: rille.type(post) is "Post".
---@param value any
---@return string?  nil for what is no record
function M.type(value)
  if not core.is_record(value) then return nil end
  return value._class._def.name
end

return M
