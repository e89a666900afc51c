--- pull: models for tables that have none: their columns in the words of `fields`, their keys as relations.
local Engine = require "rille.schema.engine"
local inflect = require "rille.inflect"
local Recall = require "rille.schema.recall"
local Runner = require "rille.schema.runner"
local Say = require "rille.schema.say"

local M = {}

local OF_RILLE <const> = "^rille_"
local KEPT_BY_RILLE <const> = { created_at = true, updated_at = true, deleted_at = true }

---@class rille.Pulled
---@field table string
---@field model string     its name
---@field text string      of the file
---@field unsaid string[]  what of the table no word says

--- The class of a table; a name that is no class gets a letter before it.
local function class_of(table_name)
  local name = inflect.class_name((table_name:gsub("[^%w_]+", "_"):gsub("^_+", "")))
  return name:find "^%u" and name or "T" .. name
end

local function has_model(table_name)
  local classes = require "rille.model".on_table[table_name]
  return classes ~= nil and #classes > 0
end

local function column_named(blueprint, name)
  for _, column in ipairs(blueprint.columns) do
    if column.name == name then return column end
  end
end

--- A table of nothing but two keys is how two others belong to many of each other.
local function is_pivot(blueprint)
  local count = 0
  for _, column in ipairs(blueprint.columns) do
    if column.references then
      count = count + 1
    elseif not column.primary and not KEPT_BY_RILLE[column.name] then
      return false
    end
  end
  return count == 2
end

--- Does a unique index cover just this column in all rows?
local function is_unique(blueprint, name)
  for _, index in ipairs(blueprint.indexes) do
    if index.unique and not index.where and #index.columns == 1 and index.columns[1][1] == name then return true end
  end
  return #blueprint.primary == 1 and blueprint.primary[1] == name
end

local function relation(lines, taken, name, text, ...)
  if taken[name] or not name:find "^[%a_][%w_]*$" then return end
  taken[name] = true
  lines[#lines + 1] = ("    %s = " .. text .. ","):format(name, ...)
end

local function options_text(options)
  local out = {}
  for _, key in ipairs(require "rille.keys"(options)) do out[#out + 1] = ("%s = %q"):format(key, options[key]) end
  return #out > 0 and ", { " .. table.concat(out, ", ") .. " }" or ""
end

--- Relations of the table's own keys, and of keys that refer to it.
local function relations_of(blueprint, all)
  local lines, taken = {}, {}
  for _, column in ipairs(blueprint.columns) do taken[column.name] = true end
  for _, column in ipairs(blueprint.columns) do
    local key = column.references
    local stem = key and column.name:match "^(.+)_id$"
    if stem then
      local owner = key.column ~= "id" and { owner_key = key.column } or {}
      relation(lines, taken, stem, "rille.belongs_to(%q%s)", class_of(key.table), options_text(owner))
    end
  end
  for _, other in ipairs(all) do
    for _, column in ipairs(other.columns) do
      local key = column.references
      if key and key.table == blueprint.table and column.name:find "_id$" and not is_pivot(other) then
        local expected = inflect.underscore(class_of(blueprint.table)) .. "_id"
        local one = is_unique(other, column.name)
        local name = one and inflect.singularize(other.table) or other.table
        if taken[name] then name = column.name:gsub("_id$", "_") .. name end
        relation(lines, taken, name, "rille.%s(%q%s)", one and "has_one" or "has_many", class_of(other.table),
          options_text(column.name ~= expected and { foreign_key = column.name } or {}))
      end
    end
  end
  return lines
end

--- Two tables that a third one joins.
local function joins_of(lines, blueprint, all)
  local own_key = inflect.underscore(class_of(blueprint.table)) .. "_id"
  for _, pivot in ipairs(all) do
    local own, other = is_pivot(pivot) and column_named(pivot, own_key), nil
    for _, column in ipairs(own and pivot.columns or {}) do
      if column.references and column ~= own then other = column end
    end
    local target = other and other.references.table
    local is_usual = other and other.name == inflect.underscore(class_of(target)) .. "_id"
    if is_usual and own.references and own.references.table == blueprint.table then
      lines[#lines + 1] = ("    %s = rille.belongs_to_many(%q, { pivot = %q }),"):format(target, class_of(target),
        pivot.table)
    end
  end
end

local function fillable_of(blueprint)
  local names = {}
  for _, column in ipairs(blueprint.columns) do
    if not column.primary and not KEPT_BY_RILLE[column.name] then names[#names + 1] = column.name end
  end
  return names
end

local function key_text(blueprint)
  if #blueprint.primary == 1 then
    return blueprint.primary[1] ~= "id" and ("%q"):format(blueprint.primary[1]) or nil
  end
  return #blueprint.primary > 1 and Say.list(blueprint.primary) or nil
end

local function model_text(blueprint, all)
  local class, lines = class_of(blueprint.table), {}
  local function add(text, ...) lines[#lines + 1] = text:format(...) end
  add("--- %s: a row of %s.", class, (blueprint.table:gsub("%c", " ")))
  add 'local rille = require "rille"'
  add ""
  add("return rille.model %q {", class)
  if inflect.table_name(class) ~= blueprint.table then add("  table = %q,", blueprint.table) end
  local key = key_text(blueprint)
  if key then add("  primary_key = %s,", key) end
  local relations = relations_of(blueprint, all)
  joins_of(relations, blueprint, all)
  add "  fields = function(t)"
  for _, line in ipairs(Say.table(blueprint)) do lines[#lines + 1] = "    " .. line end
  for _, what in ipairs(blueprint.unsaid) do lines[#lines + 1] = "    -- " .. what:gsub("%c", " ") end
  add "  end,"
  local deleted = column_named(blueprint, "deleted_at")
  if deleted and deleted.type == "datetime" and deleted.nullable then add "  soft_deletes = true," end
  local fillable = fillable_of(blueprint)
  if #fillable > 0 then lines[#lines + 1] = ("  fillable = %s,"):format(Say.list(fillable)) end
  if #relations > 0 then
    add "  relations = {"
    table.move(relations, 1, #relations, #lines + 1, lines)
    add "  },"
  end
  add "}"
  return class, table.concat(lines, "\n") .. "\n"
end

--- Models for the tables of a connection that have none.  Nothing is written.
---@param handle rille.Handle
---@param only? string[]  names of tables; all that have no model when absent
---@return rille.Pulled[]
function M.of(handle, only)
  require "rille.autoload".load_once()
  local engine, run, all = Engine.of(handle), Runner.new(handle), {}
  for _, name in ipairs(engine.tables(run)) do
    if not name:find(OF_RILLE) then
      all[#all + 1] = Recall.blueprint(engine, engine.picture(run, name))
    end
  end
  local wanted, found = {}, {}
  for _, name in ipairs(only or {}) do wanted[name] = true end
  for _, blueprint in ipairs(all) do
    local is_wanted = wanted[blueprint.table] or not only and not has_model(blueprint.table) and not is_pivot(blueprint)
    wanted[blueprint.table] = nil
    if is_wanted then
      local class, text = model_text(blueprint, all)
      found[#found + 1] = { table = blueprint.table, model = class, text = text, unsaid = blueprint.unsaid }
    end
  end
  local missing = next(wanted)
  if missing then
    require "rille.error".unknown("no_such_table", "table", missing, engine.tables(run), "the database")
  end
  return found
end

return M
