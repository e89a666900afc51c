--- model.table: what the database says of a model's table, and what the model makes of it.
local core = require "rille.core"
local Cast = require "rille.cast"
local Error = require "rille.error"
local Kept = require "rille.json_schema.kept"
local Record = require "rille.record"
local sorted_keys = require "rille.keys"

local M = {}

local function no_table(def, handle)
  local e = Error.new("no_such_table", ("model %s: there is no table %s"):format(def.name, Error.quote(def.table)), {
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
      not_null = column.not_null, primary = position[column.name] or 0, collation = column.collation,
    }
    position[column.name] = nil
  end
  local missing = next(position)
  if missing then
    Error.raise("no_such_column", ("model %s: the primary key %s is no column of %s"):format(def.name,
      Error.quote(missing), def.table),
      { model = def.name, table = def.table, column = missing })
  end
  return columns
end

--- Types that the model's `fields` give to columns which the database does not say enough about.
local function casts_of_fields(def)
  local casts = {}
  for _, column in ipairs(def.columns) do
    if column.type == "json" then
      casts[column.name] = "json"
    elseif column.type == "decimal" then
      casts[column.name] = ("decimal:%d"):format(column.scale or 2)
    end
  end
  return casts
end

--- Casts by column: what Lua does, and which type of the core stands in for the column's own.
local function resolve_casts(def, columns, description)
  local lua, by_name = {}, {}
  for i, column in ipairs(columns) do
    by_name[column.name] = column
    if description.columns[i].type == "json" then
      lua[column.name] = Cast.resolve(def.table .. "." .. column.name, "json")
    end
  end
  for _, casts in ipairs { casts_of_fields(def), def.casts } do
    for name, declared in next, casts do
      local column = by_name[name]
      if not column then
        Error.unknown("no_such_column", "column", name, sorted_keys(by_name), ("model %s: casts: %s"):format(def.name,
          def.table),
          { model = def.name })
      end
      lua[name], column.cast = Cast.resolve(def.table .. "." .. name, declared)
    end
  end
  return lua
end

--- Columns that keep JSON and that no accessor changes: what they keep is written as it is.
local function json_texts(def, casts)
  local texts = {}
  for name, cast in next, casts do
    if cast.text and not def.accessors[name] then texts[name] = cast.text end
  end
  return texts
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

--- Relations are read like attributes, so none may be called like a column.
local function check_relations(def, has)
  for name in next, def.relations do
    if has[name] then
      Error.raise("invalid_argument", ("model %s: the relation %q is called like a column of %s"):format(def.name, name,
        def.table), { model = def.name, table = def.table, column = name, hint = "call it something else" })
    end
  end
end

--- Which keys create, update and fill take.
---@param def table                    a complete declaration
---@param has table<string, any>       the columns, by name
---@return table<string, boolean> set  false: it is known, and refused
function M.assignable(def, has)
  local set = {}
  for name in next, has do set[name] = not def.fillable end
  for name in next, def.mutators do set[name] = not def.fillable end
  for _, name in ipairs(def.fillable or {}) do
    if set[name] == nil then
      Error.unknown("no_such_column", "column", name, sorted_keys(has), ("model %s: fillable: %s"):format(def.name,
        def.table))
    end
    set[name] = true
  end
  for _, name in ipairs(def.guarded or {}) do
    if set[name] == nil then
      Error.unknown("no_such_column", "column", name, sorted_keys(has), ("model %s: guarded: %s"):format(def.name,
        def.table))
    end
    set[name] = false
  end
  if def.lock_column then set[def.lock_column] = false end
  if def.tenant_column then set[def.tenant_column] = true end       -- its own value; see Record:fill
  for name, relation in next, def.relations do     -- a record in the place of its key
    if relation.kind == "belongs_to" or relation.kind == "morph_to" then
      local key = relation.options.foreign_key and relation.options.foreign_key[1]
        or (relation.options.name or name) .. "_id"
      set[name] = set[key]
    end
  end
  return set
end

--- What records show and hide must be there: a slip in `hidden` would show what was to be kept.
local function check_shown(def, has)
  local known = sorted_keys(has)
  for _, others in ipairs { def.accessors, def.relations } do
    local names = sorted_keys(others)
    table.move(names, 1, #names, #known + 1, known)
  end
  for _, option in ipairs { "hidden", "visible", "appends" } do
    for key, value in next, def[option] or {} do
      local name = option == "appends" and value or key
      if not (has[name] or def.accessors[name] or option ~= "appends" and def.relations[name]) then
        Error.unknown("no_such_column", "attribute", name, known, ("model %s: %s: %s"):format(def.name, option,
          def.table),
          { model = def.name, column = name })
      end
    end
  end
end

--- Look the table up and make what queries and records of the model need.
function M.look_up(class, handle)
  local def = class._def
  require "rille.guard".check_alike(def, handle)
  local description = handle:described(def.table) or no_table(def, handle)
  local columns, has, indirect = columns_of(def, description), {}, {}
  local lua_casts = resolve_casts(def, columns, description)
  for _, column in ipairs(columns) do has[column.name] = column end
  for name in next, lua_casts do indirect[name] = true end
  for name in next, def.accessors do indirect[name] = has[name] and true or nil end
  check_relations(def, has)
  check_shown(def, has)
  for _, name in ipairs { "_class", "_info" } do
    if has[name] then
      Error.raise("unsupported", ("model %s: records keep the name %q for themselves, which %s has as a column"):format(
        def.name, name, def.table), { model = def.name, table = def.table, column = name })
    end
  end
  for _, option in ipairs { "soft_deletes", "lock_column", "tenant_column" } do
    local name = def[option]
    if name and not has[name] then
      Error.raise("no_such_column", ("model %s: %s wants a column %s.%s"):format(def.name, option, def.table, name), {
        model = def.name, table = def.table, column = name, hint = Error.did_you_mean(name, sorted_keys(has)),
      })
    end
  end
  if def.tenant_column then
    require "rille.tenant.apart".check(handle, description, def.tenant_column, def.name, has[def.tenant_column].cast)
  end
  local info = {
    class = class, handle = handle, version = handle.version, has = has, casts = lua_casts,
      assignable = M.assignable(def, has),
    primary = def.primary_key or description.primary, mutated = nil, json_texts = json_texts(def, lua_casts),
  }
  info.has_casts = next(lua_casts) ~= nil
  info.plain_key = not def.scoped and #info.primary == 1 and not lua_casts[info.primary[1]]
  info.created_at, info.updated_at = timestamp_columns(def, has)
  info.source = core.source {
    table = def.table, columns = columns, indirect = indirect, record = Record.behaviour(class, info),
    tenant = def.tenant_column, guard = def.guard, exact = handle:engine().exact_decimals,
    ask = not def.guard and require "rille.tenant.behind".ask(handle, def.table, description) or nil,
  }
  info.names, info.direct = info.source:names(), {}     -- direct: columns that are assigned without help from Lua
  for i, name in ipairs(info.names) do
    if not indirect[name] and not def.mutators[name] then info.direct[name] = i end
  end
  info.stamps_plain = true                   -- the text of clock.now() is what these columns keep
  for _, name in next, { info.created_at, info.updated_at } do
    info.stamps_plain = info.stamps_plain and info.source:type(name) == "datetime" and not lua_casts[name]
  end
  info.kept = Kept.of(handle, def.table)
  info.rules = (def.validates or info.kept) and require "rille.validate".compile(def, info, description) or nil
  info.stands_alone = info.rules and handle:engine().fails_whole       -- what breaks a rule is an answer, no end
  info.path_casts = info.has_casts and with_paths(def.table, lua_casts) or nil
  return info
end

return M
