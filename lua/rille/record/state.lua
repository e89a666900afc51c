--- record.state: the attributes of a record as Lua reads and writes them, and what waits to be saved.
-- The core keeps the row and answers for plain columns (core/bind/record.c); here is what Lua adds: accessors,
-- mutators and casts in Lua.  Changed columns stand in the record's state table in the form that the column keeps;
-- what a cast of Lua decoded stands in state[DECODED], and is compared with the row when the record is saved, so that
-- a change inside a table is seen.
local core = require "rille.core"
local Cast = require "rille.cast"
local Error = require "rille.error"

local DECODED <const>, RELATIONS <const> = 3, 5
local null = core.null
local state_of, peek, original, put = core.record_state, core.record_peek, core.record_original, core.record_put

---@class rille.Record
local Record = {}                 -- the methods of every record; record.lua and its parts fill it

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
  for name in next, class._def.relations do names[#names + 1] = name end
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
  local accessors, relations = class._def.accessors, class._def.relations
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
    if relations[name] then return require "rille.preload".lazy(record, class, name) end
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
  local mutators, relations = class._def.mutators, class._def.relations
  return function(record, name, value)
    local mutator = mutators[name]
    if mutator and not is_inside(record, name) and value ~= nil and value ~= null then
      local guard <close> = enter(record, name)      -- luacheck: ignore 211
      local made = mutator(record, value)
      if info.has[name] then write_column(record, info, name, made) end
      return
    end
    if relations[name] then return require "rille.relation.write".assign(record, class, name, value) end
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

--- What was known of the table when the record was read or made: its own columns, and the database that it belongs
--- to.  A model may have another database by now, to which the record is not written.
local function info_of(record)
  local info = record._info
  if info == nil then
    Error.raise("invalid_argument", "a record was expected",
      { hint = "methods are called with a colon: record:save()" })
  end
  return info
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

--- Keep what a relation of the record gave.  A save leaves it, reading the record again drops it.
---@param record rille.Record
---@param name string
---@param value rille.Record|rille.List|table|false|nil  false: there is none; nil: it is not loaded any more
local function set_relation(record, name, value) core.record_relate(record, name, value) end

--- What set_relation kept.
---@param record rille.Record
---@param name string
---@return rille.Record|rille.List|table|false|nil  nil: the relation was not loaded
local function relation_of(record, name) return (core.record_related(record, name)) end

--- All loaded relations, by name.
---@param record rille.Record
---@return table<string, rille.Record|rille.List|table|false>
local function relations_of(record)
  local state, loaded = peek(record), {}
  for name, value in next, state and state[RELATIONS] or {} do
    local fits = type(name) == "string" and relation_of(record, name) ~= nil         -- else it is another tenant's
    if fits then loaded[name] = value end
  end
  return loaded
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

local function shown_key(record)
  local key = {}
  for i, value in ipairs(stored_key(record, info_of(record), true)) do key[i] = tostring(value) end
  return table.concat(key, ", ")
end

local function gone(record, class, verb)
  local def = class._def
  Error.raise("stale_object", ("the %s with the key %s is no longer there: it cannot be %s"):format(def.name,
    shown_key(record), verb), { model = def.name, table = def.table })
end

--- The row is not as it was read: somebody else changed its lock column, or deleted it.
local function overtaken(record, class, verb)
  local def = class._def
  Error.raise("stale_object", ("the %s with the key %s was changed or deleted by somebody else: it cannot be %s")
    :format(def.name, shown_key(record), verb), {
    model = def.name, table = def.table, column = def.lock_column,
    hint = "refresh() reads it again and drops what was assigned; then decide anew",
  })
end

--- Was it read from the database or saved, whatever became of the row since?
local function has_row(record, info)
  local _, has = original(record, info.primary[1] or info.names[1])
  return has
end

--- Raise unless the record is in the database, as far as is known.
local function check_there(record, class, verb)
  if core.record_exists(record) then return end
  if has_row(record, info_of(record)) then gone(record, class, verb) end
  Error.raise("invalid_argument", ("this %s was never saved: it cannot be %s"):format(class._def.name, verb), {
    model = class._def.name,
  })
end

return {
  methods = Record, reader = reader, writer = writer, was_selected = was_selected, read_column = read_column,
  unknown_attribute = unknown_attribute, missing = missing,
  set_relation = set_relation, relation_of = relation_of, relations_of = relations_of,
  collect_decoded = collect_decoded, info_of = info_of, shown = shown, changes_of = changes_of, is_dirty = is_dirty,
  check_name = check_name, stored_key = stored_key, gone = gone, overtaken = overtaken, has_row = has_row,
  check_there = check_there,
}
