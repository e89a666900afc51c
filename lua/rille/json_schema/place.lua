--- place: JSON pointers into a schema: where something stands, what stands there, and how that is refused.
local core = require "rille.core"
local Error = require "rille.error"

local M = {}

local MAX_HOPS <const> = 50               -- references that lead to references

--- The pointer of a member: "#/properties" and "a/b" -> "#/properties/a~1b".
---@param pointer string
---@param name string|integer  an index counts from 0
---@return string
function M.at(pointer, name) return pointer .. "/" .. tostring(name):gsub("~", "~0"):gsub("/", "~1") end

--- Raise that what stands there cannot be taken.
---@param pointer string
---@param message string
---@param hint? string
---@param kind? string  invalid_argument when absent
function M.refuse(pointer, message, hint, kind)
  Error.raise(kind or "invalid_argument", ("create_table: %s: %s"):format(core.shown(pointer), message), {
    hint = hint,
  })
end

--- The same for a value of the wrong kind.
---@param pointer string
---@param what string  what would have been right
---@param given any
---@param hint? string
function M.wants(pointer, what, given, hint)
  M.refuse(pointer, ("wants %s, got %s"):format(what, given == core.null and "null" or Error.show(given)), hint)
end

--- The kind of a value as `decode` gives it: null boolean integer number string array object.
---@param value any
---@return string
function M.kind_of(value)
  if value == core.null then return "null" end
  if type(value) == "table" then return getmetatable(value).__jsontype end
  if type(value) == "number" then return math.type(value) == "integer" and "integer" or "number" end
  return type(value)
end

--- Raise unless the value is an object; an empty one may have come as `{}` of Lua, which has no kind.
---@param pointer string
---@param value any
---@return table
function M.object(pointer, value)
  if type(value) ~= "table" or value == core.null or M.kind_of(value) ~= "object" and next(value) ~= nil then
    M.wants(pointer, "an object", value)
  end
  return value
end

--- Raise unless the value is a list, with an element if `some`.
---@param pointer string
---@param value any
---@param some? boolean
---@return table
function M.list(pointer, value, some)
  if type(value) ~= "table" or value == core.null or M.kind_of(value) ~= "array" or some and #value == 0 then
    M.wants(pointer, some and "a list that is not empty" or "a list", value)
  end
  return value
end

--- A list of texts, none of them twice.
---@param pointer string
---@param value any
---@param some? boolean
---@return string[]
function M.texts(pointer, value, some)
  local seen = {}
  for i, each in ipairs(M.list(pointer, value, some)) do
    local here = M.at(pointer, i - 1)
    if type(each) ~= "string" then M.wants(here, "a text", each) end
    if seen[each] then M.refuse(here, Error.quote(each) .. " comes twice") end
    seen[each] = true
  end
  return value
end

local function step(value, part)
  if type(value) ~= "table" then return nil end
  if M.kind_of(value) == "array" then
    local index = part:find "^%d+$" and math.tointeger(tonumber(part))
    return index and value[index + 1]
  end
  return value[part]
end

--- What a `$ref` refers to: it has to be in the same schema.
---@param root table      the whole schema
---@param pointer string  where the reference stands
---@param ref any
---@return any schema
---@return string pointer  where that stands
function M.resolve(root, pointer, ref)
  if type(ref) ~= "string" then M.wants(pointer, "a text", ref) end
  if ref ~= "#" and not ref:find "^#/" then
    M.refuse(pointer, ("%s is not in this schema"):format(Error.quote(ref)),
      'put it under "$defs" and refer to it as "#/$defs/NAME"', "unsupported")
  end
  local value = root
  for part in ref:sub(2):gmatch "/([^/]*)" do
    part = part:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
    value = step(value, (part:gsub("~1", "/"):gsub("~0", "~")))
    if value == nil then M.refuse(pointer, ("%s leads nowhere"):format(Error.quote(ref))) end
  end
  return value, ref
end

--- The schema behind a chain of references that say nothing else; refused when it never ends.
---@param root table
---@param schema table
---@param pointer string
---@return any schema
---@return string pointer
function M.follow(root, schema, pointer)
  local hops, from = 0, pointer
  while type(schema) == "table" and schema ~= core.null and schema["$ref"] ~= nil do
    hops = hops + 1
    if hops > MAX_HOPS then M.refuse(from, "its references lead back to it", "one of them has to say a type") end
    schema, pointer = M.resolve(root, M.at(pointer, "$ref"), schema["$ref"])
  end
  return schema, pointer
end

return M
