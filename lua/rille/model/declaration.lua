--- model.declaration: what `rille.model "Post" { … }` may say, checked and completed.
local Error = require "rille.error"
local copy = require "rille.copy"

local M = {}

local OPTIONS = { "table", "primary_key", "connection", "fields", "timestamps", "soft_deletes", "fillable", "guarded",
  "hidden", "visible", "appends", "casts", "accessors", "mutators", "scopes", "global_scopes", "methods", "validates",
  "relations", "morph_name", "hooks", "lock_column", "tenant_column" }
local IS_OPTION = {}
for _, name in ipairs(OPTIONS) do IS_OPTION[name] = true end

local function check_options(name, definition)
  if type(definition) ~= "table" then Error.argument("model " .. name, "a table of options", definition) end
  for key in next, definition do
    if not IS_OPTION[key] then
      Error.unknown("invalid_argument", "option", key, OPTIONS, "model " .. name, { model = name })
    end
  end
end

local KINDS = {
  table = "string", connection = "string", fields = "function", fillable = "table", guarded = "table", hidden = "table",
  visible = "table", appends = "table", casts = "table", accessors = "table", mutators = "table", scopes = "table",
  global_scopes = "table", methods = "table", validates = "table", relations = "table", morph_name = "string",
  hooks = "table", lock_column = "string", tenant_column = "string",
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
    if type(column) ~= "string" then
      Error.argument(("model %s: primary_key"):format(name), "a name, or a list", column)
    end
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

--- A relation is read like an attribute: it must not hide one, nor be hidden by one.
---@param def { name: string, accessors: table, mutators: table, methods: table }
---@param name string
---@param relation any
function M.check_relation(def, name, relation)
  local where = ("model %s: relations.%s"):format(def.name, tostring(name))
  if type(name) ~= "string" or not name:find "^[%a_][%w_]*$" then Error.argument(where, "a name of letters", name) end
  if not require "rille.relation".is(relation) then
    Error.argument(where, 'a relation, such as rille.has_many("Comment")', relation)
  end
  for _, other in ipairs { "accessors", "mutators", "methods" } do
    if (def[other] or {})[name] then
      Error.raise("invalid_argument", ("%s: the model has %s of that name, too"):format(where, other), {
        model = def.name, hint = "call one of them something else",
      })
    end
  end
  if require "rille.record.state".methods[name] then
    Error.raise("invalid_argument", where .. ": every record has a method of that name", {
      model = def.name, hint = "call it something else",
    })
  end
end

--- Raise unless the table says only what it may.
---@param name string
---@param definition table
function M.check(name, definition)
  check_options(name, definition)
  check_kinds(name, definition)
  local def = { name = name, accessors = definition.accessors, mutators = definition.mutators,
    methods = definition.methods }
  for relation, declared in next, definition.relations or {} do M.check_relation(def, relation, declared) end
  if definition.validates then require "rille.validate".check(name, definition.validates) end
end

--- The columns that `fields` says: checked here, while it is known in which file they were written.
local function columns_of(name, table_name, fields)
  if not fields then return {} end
  local ok, result = xpcall(require "rille.schema.table".describe, Error.keep_trace, table_name, fields)
  if ok then return result.columns end
  if Error.is(result) then
    result.message, result.model = ("model %s: fields: %s"):format(name, result.message), result.model or name
  end
  Error.again(result)
end

--- The declaration with all that it leaves out.
---@param name string
---@param definition table
---@return table def
function M.complete(name, definition)
  local table_name = definition.table or require "rille.inflect".table_name(name)
  local def = {
    name = name, table = table_name, columns = columns_of(name, table_name, definition.fields),
    fields = definition.fields,
    connection = definition.connection,
    primary_key = primary_key(name, definition.primary_key), timestamps = definition.timestamps,
    soft_deletes = soft_delete_column(name, definition.soft_deletes),
    fillable = definition.fillable, guarded = definition.guarded, hidden = set_of(definition.hidden),
    visible = definition.visible and set_of(definition.visible), appends = definition.appends or {},
    casts = definition.casts or {}, accessors = definition.accessors or {}, mutators = definition.mutators or {},
    scopes = definition.scopes or {}, global_scopes = definition.global_scopes or {},
    methods = definition.methods or {}, relations = copy(definition.relations), validates = definition.validates,
    morph_name = definition.morph_name, hooks = {}, lock_column = definition.lock_column,
    tenant_column = definition.tenant_column,
  }
  if definition.hooks then require "rille.record.event".declare(def, definition.hooks) end
  if def.validates then require "rille.validate".complete(def) end
  return def
end

return M
