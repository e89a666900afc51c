--- model: a declaration becomes a class; what the class needs of the database is looked up when it is first used.
local core = require "rille.core"
local Cast = require "rille.cast"
local Error = require "rille.error"
local fetch = require "rille.fetch"
local Query = require "rille.query"
local Record = require "rille.record"

local M = {}

--- Name -> class, of all models that were declared.
---@type table<string, rille.Model>
M.declared = {}

local OPTIONS = { "table", "primary_key", "connection", "fields", "timestamps", "soft_deletes", "fillable", "guarded",
  "hidden", "visible", "appends", "casts", "accessors", "mutators", "scopes", "global_scopes", "methods" }
local IS_OPTION = {}
for _, name in ipairs(OPTIONS) do IS_OPTION[name] = true end

-- Options that are spelled right but not there yet: ignoring one would break a promise silently.
local LATER = { relations = true, hooks = true, validates = true, tenant_column = true, lock_column = true,
  morph_name = true }

---@class rille.Model   a class: its own functions, scopes, and every method of a query
---@field _def table    what was declared, completed
local Model = {}

-- -- declaring ------------------------------------------------------------------------------------------------------

local function check_options(name, definition)
  if type(definition) ~= "table" then Error.argument("model " .. name, "a table of options", definition) end
  for key in next, definition do
    if LATER[key] then
      Error.raise("unsupported", ("model %s: %s is not part of this version"):format(name, key), { model = name })
    elseif not IS_OPTION[key] then
      Error.unknown("invalid_argument", "option", key, OPTIONS, "model " .. name, { model = name })
    end
  end
end

local KINDS = {
  table = "string", connection = "string", fields = "function", fillable = "table", guarded = "table", hidden = "table",
  visible = "table", appends = "table", casts = "table", accessors = "table", mutators = "table", scopes = "table",
  global_scopes = "table", methods = "table",
}

--- Lists of names must be that: a key or a number in one would be a name that means nothing.
local function check_lists(name, definition)
  for _, key in ipairs { "fillable", "guarded", "hidden", "visible", "appends" } do
    local list = definition[key] or {}
    local count = #list
    for i, entry in next, list do
      if math.type(i) ~= "integer" or i < 1 or i > count then
        Error.argument(("model %s: %s"):format(name, key), "a list of names", i)
      elseif type(entry) ~= "string" then
        Error.argument(("model %s: %s"):format(name, key), "names of columns", entry)
      end
    end
  end
end

local TIMESTAMPS = { "created_at", "updated_at" }

local function check_timestamps(name, declared)
  if declared == nil or type(declared) == "boolean" then return end
  local where = ("model %s: timestamps"):format(name)
  if type(declared) ~= "table" then Error.argument(where, "true, false or names of columns", declared) end
  Error.options(where, declared, TIMESTAMPS)
  for key, column in next, declared do
    if type(column) ~= "string" and column ~= false then
      Error.argument(where .. "." .. key, "the name of a column, or false", column)
    end
  end
end

--- A scope is called like a method of a query; one that hides such a method would change what others mean by it.
local function check_scope(name, scope)
  if Model[scope] or scope:find "^_" then
    Error.raise("invalid_argument", ("model %s: the scope %q would hide a method of every query"):format(name, scope), {
      model = name, hint = "call it something else",
    })
  end
end

local function check_kinds(name, definition)
  for key, kind in next, KINDS do
    if definition[key] ~= nil and type(definition[key]) ~= kind then
      Error.argument(("model %s: %s"):format(name, key), "a " .. kind, definition[key])
    end
  end
  for _, key in ipairs { "accessors", "mutators", "scopes", "global_scopes", "methods" } do
    for entry, fn in next, definition[key] or {} do
      if type(entry) ~= "string" or type(fn) ~= "function" then
        Error.argument(("model %s: %s.%s"):format(name, key, tostring(entry)), "a function under a name", fn)
      end
    end
  end
  for scope in next, definition.scopes or {} do check_scope(name, scope) end
  check_lists(name, definition)
  check_timestamps(name, definition.timestamps)
  if definition.fillable and definition.guarded then
    Error.raise("invalid_argument", ("model %s: say fillable or guarded, not both"):format(name), { model = name })
  end
end

local function set_of(list)
  local set = {}
  for _, name in ipairs(list or {}) do set[name] = true end
  return set
end

local function primary_key(name, declared)
  if declared == nil then return nil end
  local list = type(declared) == "table" and declared or { declared }
  if #list == 0 then Error.argument(("model %s: primary_key"):format(name), "a name, or a list", declared) end
  for _, column in ipairs(list) do
    if type(column) ~= "string" then Error.argument(("model %s: primary_key"):format(name), "a name, or a list", column) end
  end
  return list
end

local function soft_delete_column(name, declared)
  if declared == nil or declared == false then return nil end
  if declared == true then return "deleted_at" end
  if type(declared) ~= "string" then
    Error.argument(("model %s: soft_deletes"):format(name), "true or the name of a column", declared)
  end
  return declared
end

local function sorted_keys(map)
  local keys = {}
  for key in next, map or {} do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

--- The class as one may index it: its scopes, then the functions of Model; no name passes unknown.
local function class_meta(def)
  local index = setmetatable({}, {
    __index = function(_, key)
      if type(key) ~= "string" then return nil end
      local known = M.members(M.declared[def.name] or { _def = def })
      Error.unknown("invalid_argument", "method", key, known, def.name, { model = def.name })
    end,
  })
  for name, fn in next, Model do index[name] = fn end
  for name in next, def.scopes do
    index[name] = function(class, ...) return class._def.query[name](class._def.query, ...) end
  end
  return { __index = index, __name = "rille.Model", __tostring = function() return def.name end }
end

--- Declare a model: `rille.model "Post" { … }`.
---@param name string       a class name, such as "Post"
---@param definition? table
---@return rille.Model|fun(definition: table): rille.Model
function M.declare(name, definition)
  if type(name) ~= "string" or not name:find "^%u[%w_]*$" then
    Error.argument("model", 'a class name such as "Post"', name)
  end
  if definition == nil then return function(given) return M.declare(name, given or {}) end end
  check_options(name, definition)
  check_kinds(name, definition)
  if M.declared[name] then
    Error.raise("invalid_argument", ("the model %s is declared twice"):format(name), {
      model = name, hint = "each name belongs to one model; .reload in the REPL declares all anew",
    })
  end
  local def = {
    name = name, table = definition.table or require "rille.inflect".table_name(name), connection = definition.connection,
    primary_key = primary_key(name, definition.primary_key), fields = definition.fields,
    timestamps = definition.timestamps, soft_deletes = soft_delete_column(name, definition.soft_deletes),
    fillable = definition.fillable, guarded = definition.guarded, hidden = set_of(definition.hidden),
    visible = definition.visible and set_of(definition.visible), appends = definition.appends or {},
    casts = definition.casts or {}, accessors = definition.accessors or {}, mutators = definition.mutators or {},
    scopes = definition.scopes or {}, global_scopes = definition.global_scopes or {}, methods = definition.methods or {},
  }
  def.global_scope_names = sorted_keys(def.global_scopes)
  def.scoped = def.soft_deletes ~= nil or #def.global_scope_names > 0
  local class = setmetatable({ _def = def, _info = false }, class_meta(def))
  def.root = { false, class = class, casts = nil }
  def.root.meta = Query.meta(def.scopes, def.name)
  def.query = Query.root(def.root)
  Record.check_methods(def)
  M.declared[name] = class
  return class
end

--- Forget all models, before they are declared anew.
function M.forget_all()
  for name in next, M.declared do M.declared[name] = nil end
end

--- Is it a class?
---@param value any
---@return boolean
function M.is_class(value)
  local def = type(value) == "table" and rawget(value, "_def")
  return def ~= nil and def ~= false and M.declared[def.name] == value
end

--- Names that follow a class and a colon: its own functions, scopes, and all methods.  Sorted.
---@param class rille.Model
---@return string[]
function M.members(class)
  local names = {}
  local function add(from)
    for key, value in next, from do
      if type(key) == "string" and type(value) == "function" and not key:find "^_" then names[key] = true end
    end
  end
  add(class)
  add(class._def.scopes)
  add(Model)
  return sorted_keys(names)
end

-- -- the database side ----------------------------------------------------------------------------------------------

local function no_table(def, handle)
  local e = Error.new("no_such_table", ("model %s: there is no table %q"):format(def.name, def.table), {
    model = def.name, table = def.table,
  })
  e.hint = Error.did_you_mean(def.table, handle:tables()) or "have the migrations been run? (rille migrate)"
  error(e, 0)
end

--- The columns as the core wants them, with the primary key that the model says.
local function columns_of(def, description)
  local position, columns = {}, {}
  for i, name in ipairs(def.primary_key or description.primary) do position[name] = i end
  for i, column in ipairs(description.columns) do
    columns[i] = {
      name = column.name, declared = column.declared, default = column.default ~= nil, generated = column.generated,
      not_null = column.not_null, primary = position[column.name] or 0,
    }
    position[column.name] = nil
  end
  local missing = next(position)
  if missing then
    Error.raise("no_such_column", ("model %s: the primary key %q is no column of %s"):format(def.name, missing, def.table),
      { model = def.name, table = def.table, column = missing })
  end
  return columns
end

--- Types that the model's `fields` give to columns which the database does not say enough about.
local function casts_of_fields(def)
  local casts = {}
  if def.fields then
    for _, column in ipairs(require "rille.schema.table".describe(def.table, def.fields).columns) do
      if column.type == "json" then
        casts[column.name] = "json"
      elseif column.type == "decimal" then
        casts[column.name] = ("decimal:%d"):format(column.scale or 2)
      end
    end
  end
  return casts
end

--- Casts by column: what Lua does, and which type of the core stands in for the column's own.
local function resolve_casts(def, columns, description)
  local lua, by_name = {}, {}
  for i, column in ipairs(columns) do
    by_name[column.name] = column
    if description.columns[i].type == "json" then lua[column.name] = Cast.resolve(def.table .. "." .. column.name, "json") end
  end
  for _, casts in ipairs { casts_of_fields(def), def.casts } do
    for name, declared in next, casts do
      local column = by_name[name]
      if not column then
        Error.unknown("no_such_column", "column", name, sorted_keys(by_name), ("model %s: casts: %s"):format(def.name, def.table),
          { model = def.name })
      end
      lua[name], column.cast = Cast.resolve(def.table .. "." .. name, declared)
    end
  end
  return lua
end

--- The casts of a query, which may call a column by its table too.
local function with_paths(table_name, casts)
  local all = {}
  for name, cast in next, casts do all[name], all[table_name .. "." .. name] = cast, cast end
  return all
end

local function timestamp_columns(def, has)
  local declared = def.timestamps
  if declared == false then return nil, nil end
  local names = type(declared) == "table" and declared or {}
  local function column(kind)
    local name = names[kind]
    if name == false then return nil end
    name = name or kind
    if has[name] then return name end
    if names[kind] or declared == true then
      Error.raise("no_such_column", ("model %s: timestamps wants a column %s.%s"):format(def.name, def.table, name),
        { model = def.name, table = def.table, column = name })
    end
  end
  return column "created_at", column "updated_at"
end

--- Which keys create, update and fill take.
local function assignable(def, has)
  local set = {}
  for name in next, has do set[name] = not def.fillable end
  for name in next, def.mutators do set[name] = not def.fillable end
  for _, name in ipairs(def.fillable or {}) do
    if set[name] == nil then
      Error.unknown("no_such_column", "column", name, sorted_keys(has), ("model %s: fillable: %s"):format(def.name, def.table))
    end
    set[name] = true
  end
  for _, name in ipairs(def.guarded or {}) do
    if set[name] == nil then
      Error.unknown("no_such_column", "column", name, sorted_keys(has), ("model %s: guarded: %s"):format(def.name, def.table))
    end
    set[name] = false
  end
  return set
end

--- What records show and hide must be there: a slip in `hidden` would show what was to be kept.
local function check_shown(def, has)
  local known, accessors = sorted_keys(has), sorted_keys(def.accessors)
  table.move(accessors, 1, #accessors, #known + 1, known)
  for _, option in ipairs { "hidden", "visible", "appends" } do
    for key, value in next, def[option] or {} do
      local name = option == "appends" and value or key
      if not has[name] and not def.accessors[name] then
        Error.unknown("no_such_column", "attribute", name, known, ("model %s: %s: %s"):format(def.name, option, def.table),
          { model = def.name, column = name })
      end
    end
  end
end

--- Look the table up and make what queries and records of the model need.
local function look_up(class, handle)
  local def = class._def
  local description = handle:describe(def.table) or no_table(def, handle)
  local columns, has, indirect = columns_of(def, description), {}, {}
  local lua_casts = resolve_casts(def, columns, description)
  for _, column in ipairs(columns) do has[column.name] = column end
  for name in next, lua_casts do indirect[name] = true end
  for name in next, def.accessors do indirect[name] = has[name] and true or nil end
  check_shown(def, has)
  if has._class then
    Error.raise("unsupported", ("model %s: %s has a column \"_class\", which records keep for themselves"):format(def.name,
      def.table), { model = def.name, table = def.table, column = "_class" })
  end
  if def.soft_deletes and not has[def.soft_deletes] then
    Error.raise("no_such_column", ("model %s: soft_deletes wants a column %s.%s"):format(def.name, def.table,
      def.soft_deletes), { model = def.name, table = def.table, column = def.soft_deletes })
  end
  local info = {
    handle = handle, version = handle.version, has = has, casts = lua_casts, assignable = assignable(def, has),
    primary = def.primary_key or description.primary, mutated = nil,
  }
  info.has_casts = next(lua_casts) ~= nil
  info.plain_key = not def.scoped and #info.primary == 1 and not lua_casts[info.primary[1]]
  info.created_at, info.updated_at = timestamp_columns(def, has)
  info.source = core.source {
    table = def.table, columns = columns, indirect = indirect, record = Record.behaviour(class, info),
  }
  info.names, info.direct = info.source:names(), {}     -- direct: columns that are assigned without help from Lua
  for i, name in ipairs(info.names) do
    if not indirect[name] and not def.mutators[name] then info.direct[name] = i end
  end
  info.stamps_plain = true                   -- the text of core.now() is what these columns keep
  for _, name in next, { info.created_at, info.updated_at } do
    info.stamps_plain = info.stamps_plain and info.source:type(name) == "datetime" and not lua_casts[name]
  end
  def.root[1], def.root.handle, def.root.info = info.source, handle, info
  def.root.casts = info.has_casts and with_paths(def.table, lua_casts) or nil
  return info
end

--- What the database says of the model's table, looked up again after the schema or the connection changed.
---@param class rille.Model
---@return table info  source, handle, has, casts, assignable, primary, created_at, updated_at
function M.info(class)
  local info = class._info
  if info and info.version == info.handle.version and not info.handle.closed then return info end
  info = look_up(class, require "rille.database".get(class._def.connection))
  rawset(class, "_info", info)
  return info
end

-- -- methods of a class ---------------------------------------------------------------------------------------------

--- A query of all rows.
function Model:query() return Query.of(self) end

--- A record that is not saved yet.
---@param attributes? table<string, any>
---@return rille.Record
function Model:new(attributes) return Record.new(self, attributes) end

--- The record with that primary key, or nil; a list of keys gives a list of records.
---@param ... any  the key: one value for each of its columns
---@return rille.Record|rille.List|nil
function Model:find(...)
  local info, key = self._info, ...
  if not info or info.version ~= info.handle.version or info.handle.closed then info = M.info(self) end
  if info.plain_key and key ~= nil and select("#", ...) == 1 and type(key) ~= "table" then
    return fetch.find(info.handle, info.source, key)
  end
  return Query.of(self):find(...)
end

--- Make a record and save it.
---@param attributes table<string, any>
---@return rille.Record
function Model:create(attributes) return Record.save(Record.new(self, attributes)) end

local function check_list(where, what, list)
  if type(list) ~= "table" then Error.argument(where, what, list) end
  local count = #list
  for i in next, list do
    if math.type(i) ~= "integer" or i < 1 or i > count then Error.argument(where, what .. " without holes or names", i) end
  end
  for i = 1, count do
    if list[i] == nil then Error.argument(where, what .. " without holes", nil) end
  end
  return list
end

--- Create several records, all or none.
---@param list table<string, any>[]
---@return rille.List
function Model:create_many(list)
  check_list("create_many", "a list of tables", list)
  return M.info(self).handle:transaction(function()
    local records = {}
    for i, attributes in ipairs(list) do records[i] = self:create(attributes) end
    return require "rille.list".wrap(records)
  end)
end

--- Add a scope after the fact.
function Model:scope(name, fn)
  if type(name) ~= "string" or type(fn) ~= "function" then Error.argument("scope", "a name and a function", fn) end
  check_scope(self._def.name, name)
  local def = self._def
  def.scopes[name] = fn
  def.root.meta = Query.meta(def.scopes, def.name)
  def.query = Query.root(def.root)
  getmetatable(self).__index = class_meta(def).__index
end

--- Add a global scope after the fact.
function Model:global_scope(name, fn)
  if type(name) ~= "string" or type(fn) ~= "function" then Error.argument("global_scope", "a name and a function", fn) end
  local def = self._def
  def.global_scopes[name] = fn
  def.global_scope_names = sorted_keys(def.global_scopes)
  def.scoped = true
  rawset(self, "_info", false)
end

local function first_or(self, word, match, values, make)
  if type(match) ~= "table" or next(match) == nil then Error.argument(word, "a table to look for", match) end
  if values ~= nil and type(values) ~= "table" then Error.argument(word, "a table of attributes", values) end
  return Query.of(self):where(match):first() or make()
end

local function merged(match, values)
  local all = {}
  for key, value in next, match do all[key] = value end
  for key, value in next, values or {} do all[key] = value end
  return all
end

--- The first record that fits, or a new one that is not saved.
function Model:first_or_new(match, values)
  return first_or(self, "first_or_new", match, values, function() return self:new(merged(match, values)) end)
end

--- The first record that fits, or one that is created.
function Model:first_or_create(match, values)
  return M.info(self).handle:transaction(function()
    return first_or(self, "first_or_create", match, values, function() return self:create(merged(match, values)) end)
  end)
end

--- Update the first record that fits, or create one.
function Model:update_or_create(match, values)
  return M.info(self).handle:transaction(function()
    local record = first_or(self, "update_or_create", match, values, function() return false end)
    if not record then return self:create(merged(match, values)) end
    return record:update(values or {})
  end)
end

--- Delete the records with these keys; how many there were.
---@param ... any  keys, or one list of them
---@return integer
function Model:destroy(...)
  local count, keys = select("#", ...), { ... }
  if count == 1 and type(keys[1]) == "table" then
    keys = check_list("destroy", "a list of keys", keys[1])
  else
    for i = 1, math.max(1, count) do
      if keys[i] == nil then Error.argument("destroy", "a key", nil) end
    end
  end
  return M.info(self).handle:transaction(function()
    local records = Query.of(self):find(keys)
    for _, record in ipairs(records) do record:delete() end
    return #records
  end)
end

--- Delete every row and begin counting anew.  Runs no hooks.
function Model:truncate()
  local info = M.info(self)
  info.handle:transaction(function()
    fetch.call(info.handle, "delete", Query.of(self):unfiltered(), nil)
    if info.handle:query("select 1 from sqlite_schema where name = 'sqlite_sequence'")[1] then
      info.handle:execute("delete from sqlite_sequence where name = ?", self._def.table)
    end
  end)
end

--- The names of the table's columns, in order.
---@return string[]
function Model:columns() return table.move(M.info(self).names, 1, #M.info(self).names, 1, {}) end

--- A condition, as on a query.
function Model:where(column, a, b) return Query.where(self._def.query, column, a, b) end

-- Every other method of a query is one of the class.
for name in next, Query.methods() do
  local method = Query[name]
  Model[name] = Model[name] or function(class, ...) return method(class._def.query, ...) end
end

return M
