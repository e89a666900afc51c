--- list: the result of a query: a plain array, of records or of plain tables, with methods.
local setmetatable = setmetatable
local core = require "rille.core"
local Error = require "rille.error"

---@class rille.List
local List = { __jsontype = "array" }      -- so that an empty one is `[]` in JSON
List.__index = List

--- Give an array the methods of a list; the array itself, not a copy.
---@param array table
---@return rille.List
function List.wrap(array) return setmetatable(array, List) end

local is_record = core.is_record

--- How an item is read: by a function of it, or by the name of a column, accessor or relation.
local function reader(where, by)
  if type(by) == "function" then return by end
  if type(by) ~= "string" then Error.argument(where, "a name or a function", by) end
  return function(item) return item[by] end
end

local function check_key(where, key, index)
  if key == nil or key ~= key then
    Error.raise("invalid_argument", ("%s: element %d gives %s, which cannot be a key"):format(where, index,
      key == nil and "nil" or "NaN"), { hint = "filter out the elements without one" })
  end
  return key
end

--- What `fn` makes of each element.
---@param fn fun(item: any, index: integer): any  not nil: rille.null stands for nothing
---@return rille.List
function List:map(fn)
  if type(fn) ~= "function" then Error.argument("map", "a function", fn) end
  local out = {}
  for i = 1, #self do
    local value = fn(self[i], i)
    if value == nil then
      Error.raise("invalid_argument", ("map: the function returned nil for element %d"):format(i), {
        hint = "filter leaves elements out; rille.null stands for nothing",
      })
    end
    out[i] = value
  end
  return List.wrap(out)
end

--- The elements for which `fn` returns a true value; or those whose column of that name has one, or is `value`.
---@param fn string|fun(item: any, index: integer): any
---@param ... any  the value to compare with, when `fn` is a name
---@return rille.List
function List:filter(fn, ...)
  local read, out = reader("filter", fn), {}
  local compares, wanted = select("#", ...) > 0, (...)
  if compares and wanted == nil then Error.argument("filter", "a value", nil, "rille.null stands for nothing") end
  if wanted == core.null then wanted = nil end
  for i = 1, #self do
    local value = read(self[i], i)
    if compares then value = value == wanted end
    if value then out[#out + 1] = self[i] end
  end
  return List.wrap(out)
end

--- One column of each element, rille.null where it is nil.
---@param name string
---@return rille.List
function List:pluck(name)
  local read, out = reader("pluck", name), {}
  for i = 1, #self do
    local value = read(self[i], i)
    if value == nil then value = core.null end
    out[i] = value
  end
  return List.wrap(out)
end

--- The elements by a key of theirs; of two with the same one the later stays.
---@param by string|fun(item: any, index: integer): any
---@return table
function List:key_by(by)
  local read, out = reader("key_by", by), {}
  for i = 1, #self do out[check_key("key_by", read(self[i], i), i)] = self[i] end
  return out
end

--- Lists of the elements that have a key in common, in their order.
---@param by string|fun(item: any, index: integer): any
---@return table<any, rille.List>
function List:group_by(by)
  local read, out = reader("group_by", by), {}
  for i = 1, #self do
    local key = check_key("group_by", read(self[i], i), i)
    out[key] = out[key] or List.wrap {}
    table.insert(out[key], self[i])
  end
  return out
end

--- Load relations of all elements at once, again where they had been loaded.
---@param ... any  names, as `with` takes them
---@return rille.List self
function List:load(...)
  require "rille.preload".load(self, ...)
  return self
end

--- Load relations of the elements that have not loaded them.
---@param ... any  names, as `with` takes them
---@return rille.List self
function List:load_missing(...)
  require "rille.preload".load_missing(self, ...)
  return self
end

--- Plain tables: records as they show themselves, copies of plain rows, anything else as it is.
---@param options? { hidden: string[]?, visible: string[]?, appends: string[]? }  for the records of the list
---@return any[]
function List:to_table(options)
  local Data = require "rille.record.data"
  Data.check_options("to_table", options)
  return Data.list(self, options)
end

--- A JSON array, each record as it shows itself.
---@param options? { hidden: string[]?, visible: string[]?, appends: string[]? }  for the records of the list
---@return string
function List:to_json(options)
  local Data = require "rille.record.data"
  Data.check_options("to_json", options)
  return core.json(self, "list", Data.shape, options)
end

--- The primary keys: of a record its key, of a plain row its `id`.
---@return rille.List
function List:ids()
  return self:map(function(item, i)
    local id
    if is_record(item) then id = item:key() else id = item.id end
    if id == nil then
      Error.raise("missing_attribute", ("ids: element %d has no key"):format(i), { hint = "pluck names the column" })
    end
    return id
  end)
end

---@return any item  nil when the list is empty
function List:first() return self[1] end

---@return any item  nil when the list is empty
function List:last() return self[#self] end

return List
