--- model: a declaration becomes a class; what the class needs of the database is looked up when it is first used.
local core = require "rille.core"
local Config = require "rille.config"
local Error = require "rille.error"
local fetch = require "rille.fetch"
local sorted_keys = require "rille.keys"
local Declaration = require "rille.model.declaration"
local Query = require "rille.query"
local Event = require "rille.record.event"
local Record = require "rille.record"

local M = {}

--- Name -> class, of all models that were declared.
---@type table<string, rille.Model>
M.declared = {}

--- Name of a table -> the models on it, in the order in which they were declared.
---@type table<string, rille.Model[]>
M.on_table = {}

--- Counts the changes of `declared`.
M.generation = 0

---@class rille.Model   a class: its own functions, scopes, and every method of a query
---@field _def table    what was declared, completed
local Model = {}

--- Post.where("id", 1) instead of Post:where("id", 1).
local function no_class(method)
  Error.raise("invalid_argument", ("%s was called without its model"):format(method), {
    hint = ("methods are called with a colon: Post:%s(…)"):format(method),
  })
end

--- A scope is called like a method of a query; one that hides such a method would change what others mean by it.
local function check_scope(name, scope)
  if Model[scope] or scope:find "^_" then
    Error.raise("invalid_argument", ("model %s: the scope %q would hide a method of every query"):format(name, scope), {
      model = name, hint = "call it something else",
    })
  end
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

--- What guards the table of the model; another model may be of the same one.
local function guard_of(def)
  for _, class in next, M.declared do
    if def.tenant_column or class._def.guard and class._def.table == def.table then
      return require "rille.guard".new(def, M.declared)
    end
  end
  return def.tenant_column and require "rille.guard".new(def, M.declared) or nil
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
  Declaration.check(name, definition)
  for scope in next, definition.scopes or {} do check_scope(name, scope) end
  if M.declared[name] then
    Error.raise("invalid_argument", ("the model %s is declared twice"):format(name), {
      model = name, hint = "each name belongs to one model; .reload in the REPL declares all anew",
    })
  end
  local def = Declaration.complete(name, definition)
  def.global_scope_names = sorted_keys(def.global_scopes)
  def.guard = guard_of(def)
  def.scoped = def.soft_deletes ~= nil or #def.global_scope_names > 0
  local class = setmetatable({ _def = def, _info = false }, class_meta(def))
  def.root = { false, class = class, casts = false, marked = false, joined = false }     -- found, where it is asked
  def.root.meta = Query.meta(def.scopes, def.name)
  def.query = Query.root(def.root)
  Record.check_methods(def)
  M.declared[name], M.generation = class, M.generation + 1
  local same_table = M.on_table[def.table] or {}
  for _, other in ipairs(def.guard and same_table or {}) do      -- what was found of them without knowing this one
    rawset(other, "_info", false)
    other._def.infos = nil
  end
  same_table[#same_table + 1], M.on_table[def.table] = class, same_table
  return class
end

--- Forget all models, before they are declared anew.
function M.forget_all()
  M.generation = M.generation + 1
  for name in next, M.declared do M.declared[name] = nil end
  for name in next, M.on_table do M.on_table[name] = nil end
  require "rille.autoload".forget()
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

local function is_valid(info) return info and info.version == info.handle.version and not info.handle.closed end

local tenants, running = core.tenants, coroutine.running        -- see tenant.lua

--- What is known of the model in the current tenant's database, where it is in that; nil while nothing is.
local function info_of_tenant(class)
  local infos, context = class._def.infos, tenants[running()]
  local handle = infos and context and context.handle
  local info = handle and infos[handle]
  return info and info.version == handle.version and not handle.closed and info or nil
end

--- The root of the model's queries is in the database of this handle.
local function stand_on(root, info)
  root[1], root.handle, root.casts, root.kept = info.source, info.handle, info.path_casts or false, info.kept
  root.info = info                               -- last: it says that the others are there
end

--- What the database says of the model's table, looked up again after the schema or the connection changed.
---@param class rille.Model
---@return table info  source, handle, has, casts, assignable, primary, created_at, updated_at; of_tenant: the tenant
---  decides where it is
function M.info(class)
  local info = class._info
  if is_valid(info) then return info end
  local def = class._def
  info = info_of_tenant(class)
  if info then
    if def.root.info ~= info then stand_on(def.root, info) end
    return info
  end
  local handle = require "rille.database".get(def.connection)
  local of_tenant = not def.connection and Config.current().tenancy and require "rille.tenant.home".decides()
  if not of_tenant then
    info = require "rille.model.table".look_up(class, handle)
  else                                           -- `_info` stays empty: which one holds is asked each time
    def.infos = def.infos or setmetatable({}, { __mode = "k" })
    info = def.infos[handle]
    if not is_valid(info) then
      info = require "rille.model.table".look_up(class, handle)
      info.of_tenant = true
      def.infos[handle] = info
    end
  end
  stand_on(def.root, info)
  if not of_tenant then rawset(class, "_info", info) end        -- last: whoever finds it takes the root for complete
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
  if not info or info.version ~= info.handle.version or info.handle.closed then
    info = info_of_tenant(self) or M.info(self)
  end
  if info.plain_key and key ~= nil and select("#", ...) == 1 and type(key) ~= "table" and not Event.any(self._def) then
    return fetch.find(info.handle, info.source, key)
  end
  return Query.of(self):find(...)
end

--- Make a record and save it.
---@param attributes table<string, any>
---@return rille.Record|nil
---@return rille.Error? err  when a rule of `validates` refused it; nothing was written
function Model:create(attributes)
  if not self._def then no_class "create" end
  return Record.create(self, attributes)
end

--- Create several records, all or none.
---@param list table<string, any>[]
---@return rille.List|nil
---@return rille.Error? err  of the first that was refused; its `index` says which one it is
function Model:create_many(list)
  local Match = require "rille.match"
  Match.check_list("create_many", "a list of tables", list)
  return Match.all_or_none(M.info(self).handle, "create_many", list, function(attributes)
    return self:create(attributes)
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
  if type(name) ~= "string" or type(fn) ~= "function" then
    Error.argument("global_scope", "a name and a function", fn)
  end
  local def = self._def
  def.global_scopes[name] = fn
  def.global_scope_names = sorted_keys(def.global_scopes)
  def.scoped = true
  rawset(self, "_info", false)
end

--- Call a function at an event, after the fact, until the returned one is called: Post:on("creating", fn).
---@param event string  one of hook.model_events
---@param fn fun(record: rille.Record): any  `false` from one that ends in -ing stops what is about to happen
---@return fun() stop
function Model:on(event, fn)
  return require "rille.record.event".add(self._def or no_class "on", event, fn)
end

--- Run a function without the events of this model's records, in this coroutine.
---@param fn function
---@param ... any  for fn
---@return any ...  what fn returns
function Model:without_events(fn, ...)
  return require "rille.record.event".without(self._def or no_class "without_events", fn, ...)
end

--- Run a function that sees everybody's rows of this model, and of no other: the only way out of the tenant.
-- Raises the event "tenant:bypass".  Belongs to this coroutine, and ends with the function.
---@param fn fun(...): any ...
---@param ... any  for fn
---@return any ...  what fn returns
function Model:without_tenant_scope(fn, ...)
  return require "rille.guard".lift(self._def or no_class "without_tenant_scope", fn, ...)
end

--- Add a relation after the fact: Post:has_many("comments", "Comment", { … }).
for kind, constructor in next, require "rille.relation".constructors do
  Model[kind] = function(class, name, ...)
    local def = (class._def or no_class(kind))
    local relation = constructor(...)
    Declaration.check_relation(def, name, relation)
    if def.relations[name] then
      Error.raise("invalid_argument", ("model %s has a relation %q already"):format(def.name, name), {
        model = def.name, hint = "it is declared at " .. def.relations[name].place,
      })
    end
    def.relations[name] = relation
    rawset(class, "_info", false)
  end
end

local function first_of(self, match) return Query.of(self):where(match):first() end

--- What looks for one in the trash; nil where the model has none.
local function trashed_of(self, match)
  if not self._def.soft_deletes then return nil end
  return function() return Query.of(self):only_trashed():where(match):first() end
end

--- The first record that fits, or a new one that is not saved.
function Model:first_or_new(match, values)
  local Match = require "rille.match"
  Match.check("first_or_new", match, values)
  return first_of(self, match) or self:new(Match.merged(match, values))
end

--- The first record that fits, or one that is created; two at once create one.
---@return rille.Record|nil
---@return rille.Error? err
function Model:first_or_create(match, values)
  local Match = require "rille.match"
  Match.check("first_or_create", match, values)
  return Match.first_or_create(M.info(self).handle, function() return first_of(self, match) end,
    function() return self:create(Match.merged(match, values)) end, trashed_of(self, match))
end

--- Update the first record that fits, or create one; two at once create one.
---@return rille.Record|nil
---@return rille.Error? err
function Model:update_or_create(match, values)
  local Match = require "rille.match"
  Match.check("update_or_create", match, values)
  return Match.update_or_create(M.info(self).handle, function() return first_of(self, match) end, values,
    function() return self:create(Match.merged(match, values)) end, trashed_of(self, match))
end

--- Delete the records with these keys; how many were deleted, without those whose hooks said no.
---@param ... any  keys, or one list of them
---@return integer
function Model:destroy(...)
  local count, keys = select("#", ...), { ... }
  if count == 1 and type(keys[1]) == "table" then
    keys = require "rille.match".check_list("destroy", "a list of keys", keys[1])
  else
    for i = 1, math.max(1, count) do
      if keys[i] == nil then Error.argument("destroy", "a key", nil) end
    end
  end
  local primary = M.info(self).primary
  for _, key in ipairs(#primary > 1 and keys or {}) do
    if type(key) ~= "table" then
      Error.argument("destroy", ("keys, each a list of its columns' values (%s)"):format(table.concat(primary, ", ")),
        key)
    end
  end
  return M.info(self).handle:transaction(function()
    local deleted = 0
    for _, record in ipairs(Query.of(self):find(keys)) do
      if record:delete() then deleted = deleted + 1 end
    end
    return deleted
  end)
end

--- Delete every row and begin counting anew, unless there are rows of other tenants.  Runs no hooks.
function Model:truncate()
  local info = M.info(self)
  local guard = self._def.guard
  info.handle:transaction(function()
    fetch.call(info.handle, "delete", Query.of(self):unfiltered(), nil)
    local others = guard and require "rille.guard".is_in(guard, info.handle)
    if others and not require "rille.tenant".is_lifted(guard) then return end
    info.handle:engine().count_anew(info.handle, self._def.table)
  end)
end

--- The names of the table's columns, in order.
---@return string[]
function Model:columns() return table.move(M.info(self).names, 1, #M.info(self).names, 1, {}) end

--- A condition, as on a query.
function Model:where(column, a, b) return Query.where((self._def or no_class "where").query, column, a, b) end

-- Every other method of a query is one of the class.
for name in next, Query.methods() do
  local method = Query[name]
  Model[name] = Model[name] or function(class, ...) return method((class._def or no_class(name)).query, ...) end
end

return M
