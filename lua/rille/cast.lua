--- cast: stored value <-> Lua value, for the casts that Lua does; the core does the others by the column's type.
local core = require "rille.core"
local Error = require "rille.error"

local M = {}

---@class rille.Cast
---@field load fun(stored: any): any   from what the column keeps; never called for NULL
---@field dump fun(value: any): any    to what the column keeps; never called for NULL
---@field text? "json"|"array"          what is kept is JSON, of any kind or of this one

-- Names that mean the same as a type of the core.
local ALIASES = {
  bool = "boolean", int = "integer", bigint = "integer", float = "real", double = "real", number = "real",
  string = "text", bytes = "blob", decimal = "decimal:2",
}

local CORE_TYPES = {
  any = true, integer = true, real = true, text = true, blob = true, boolean = true, datetime = true, date = true,
  timestamp = true, uuid = true,
}

local NAMES = { "json", "array", "boolean", "integer", "real", "text", "blob", "decimal:2", "datetime", "date",
  "timestamp", "uuid" }

--- The cast of JSON columns: tables both ways.  `place` names the column in messages.
---@param place string
---@return rille.Cast
local function json_cast(place)
  return {
    load = function(stored) return require "rille.json".decode(stored, place) end,
    dump = function(value) return require "rille.json".encode(value, place) end,
    text = "json",
  }
end

local function array_cast(place)
  local json = json_cast(place)
  return {
    load = function(stored)
      local value = json.load(stored)
      if type(value) ~= "table" then
        Error.raise("corrupt", ("%s should hold a JSON array but holds %s"):format(place, stored))
      end
      return value
    end,
    dump = function(value)
      if type(value) ~= "table" then Error.argument(place, "a list", value) end
      for key in next, value do
        if math.type(key) ~= "integer" or key < 1 or key > #value then
          Error.argument(place, "a list without holes", value)
        end
      end
      return json.dump(require "rille.json".array(table.move(value, 1, #value, 1, {})))
    end,
    text = "array",
  }
end

local function custom_cast(place, definition)
  for key in next, definition do
    if key ~= "get" and key ~= "set" then
      Error.unknown("invalid_argument", "key", key, { "get", "set" }, place .. ": a cast")
    end
  end
  if type(definition.get) ~= "function" or type(definition.set) ~= "function" then
    Error.argument(place, "a cast with the functions get and set", definition)
  end
  return { load = definition.get, dump = definition.set }
end

--- What a declared cast means for a column.
---@param place string               "posts.meta", for messages
---@param declared string|table      as in `casts` of a model
---@return rille.Cast? lua           a cast that Lua does, or nil
---@return string? type              the core's type that stands in for the column's own, or nil
function M.resolve(place, declared)
  if type(declared) == "table" then return custom_cast(place, declared), "any" end
  if type(declared) ~= "string" then Error.argument(place, "the name of a cast, or { get =, set = }", declared) end
  if declared == "json" then return json_cast(place), "json" end
  if declared == "array" then return array_cast(place), "json" end
  local name = ALIASES[declared] or declared
  if CORE_TYPES[name] or name:find "^decimal:%d$" then return nil, name end
  Error.unknown("invalid_argument", "cast", declared, NAMES, place)
end

--- What a column keeps for a value; nil and rille.null pass.
---@param cast rille.Cast
---@param value any
---@return any stored
function M.dump(cast, value)
  if value == nil or value == core.null then return core.null end
  local stored = cast.dump(value)
  if stored == nil then return core.null end
  return stored
end

return M
