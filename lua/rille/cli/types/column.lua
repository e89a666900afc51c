--- types.column: the columns of a model, of the database or else of its `fields`, and their types in Lua.
local Cast = require "rille.cast"
local Config = require "rille.config"
local Database = require "rille.database"
local Error = require "rille.error"
local files = require "rille.cli.files"

local M = {}

---@class rille.TypedColumn
---@field name string
---@field read string       what an attribute gives, in the words of LuaCATS
---@field write string      what may be assigned
---@field nullable boolean
---@field primary boolean
---@field given boolean     the database or rille fills it in

-- Type of the core -> what is read, and what more may be written.
local READ = { integer = "integer", real = "number", text = "string", blob = "string", boolean = "boolean",
  decimal = "string", datetime = "string", date = "string", timestamp = "integer", uuid = "string" }
local MOMENT = "string|number|osdate"
local WRITE = { decimal = "string|number", datetime = MOMENT, date = MOMENT, timestamp = MOMENT,
  blob = "string|rille.Blob" }

-- Type in `fields` -> type of the core, where it has another name.
local KIND = { id = "integer", bigint = "integer", string = "text", enum = "text", float = "real" }

--- The values of an enum as a type; nil where they would need escapes.
local function union(values)
  local parts = {}
  for i, value in ipairs(values or {}) do
    if not value:find "^[%w_ .:/-]*$" then return nil end
    parts[i] = '"' .. value .. '"'
  end
  return parts[1] and table.concat(parts, "|")
end

--- What is read and written; `cast` is one that Lua does, `values` are those of an enum.
local function types_of(kind, cast, values)
  if cast then
    local type = cast.text == "array" and "any[]" or "any"
    return type, type
  end
  local read = union(values) or READ[kind:match "^%a+"] or "any"
  return read, WRITE[kind:match "^%a+"] or read
end

local function is_there(class)
  local config = Config.current()
  local settings = config.connections[class._def.connection or config.default]
  if not settings then return false end
  local is_file = settings.driver == "sqlite" and settings.database ~= ":memory:"
  if is_file and not files.exists(settings.database) then return false end
  return Database.get(class._def.connection):describe(class._def.table) ~= nil
end

local function enum_values(def, name)
  for _, column in ipairs(def.columns) do
    if column.name == name and not def.casts[name] then return column.values end
  end
end

local function of_database(class)
  local info, columns = require "rille.model".info(class), {}
  local is_counted = #info.primary == 1 and info.source:type(info.primary[1]) == "integer"
  for i, name in ipairs(info.names) do
    local column = info.has[name]
    local read, write = types_of(info.source:type(name), info.casts[name], enum_values(class._def, name))
    columns[i] = {
      name = name, read = read, write = write, primary = column.primary > 0,
      nullable = not column.not_null and column.primary == 0,
      given = column.default or column.generated or is_counted and column.primary > 0
        or name == info.created_at or name == info.updated_at or name == class._def.tenant_column,
    }
  end
  return columns, info.assignable, info.primary
end

local function of_fields(class)
  local def, columns, has, primary = class._def, {}, {}, {}
  for i, column in ipairs(def.columns) do
    local name, kind = column.name, KIND[column.type] or column.type
    local declared = def.casts[name] or kind == "json" and "json" or nil
    local cast, type
    if declared then cast, type = Cast.resolve(def.table .. "." .. name, declared) end
    local read, write = types_of(type or kind, cast, enum_values(def, name))
    columns[i] = {
      name = name, read = read, write = write, nullable = column.nullable, primary = column.primary or false,
      given = column.auto or column.default ~= nil or column.default_sql ~= nil or column.default_now
        or name == def.tenant_column,
    }
    has[name] = column
    if column.primary then primary[#primary + 1] = name end
  end
  return columns, require "rille.model.table".assignable(def, has), def.primary_key or primary
end

--- The columns of a model, which of their names create and fill take, and the primary key.
---@param class rille.Model
---@return rille.TypedColumn[] columns
---@return table<string, boolean> assignable
---@return string[] primary
function M.of(class)
  if is_there(class) then return of_database(class) end
  if #class._def.columns > 0 then return of_fields(class) end
  return Error.raise("no_such_table", ("model %s: there is no table %s, and the model says no fields"):format(
    class._def.name, Error.quote(class._def.table)), { model = class._def.name, table = class._def.table,
    hint = "rille migrate makes the table" })
end

return M
