--- query.find: rows by primary key.
local core = require "rille.core"
local Error = require "rille.error"
local Root = require "rille.query.root"

local M = {}

--- The columns of the primary key of what the query reads.
local function primary_of(query)
  local root = Root.ready(query)
  if root.class then return root.info.primary, root.class._def.name end
  local primary = root.handle:described(root.table).primary
  return primary, root.table
end

local function check_scalar(name, value)
  if value == nil or value == core.null then
    Error.argument(name .. ":find", "a key", value, "a missing key finds nothing by accident")
  end
end

--- The query of the one row with this key, a list of as many values as the key has columns.
local function with_key(query, primary, name, key)
  local count = key.n or #key
  if count ~= #primary then
    Error.raise("invalid_argument", ("%s:find: wants %d value%s (%s), got %d"):format(name, #primary,
      #primary == 1 and "" or "s", table.concat(primary, ", "), count), { hint = "find { … } takes a list of keys" })
  end
  for i, column in ipairs(primary) do
    check_scalar(name, key[i])
    query = query:where(column, key[i])
  end
  return query
end

local function find_list(query, primary, name, list)
  for key in next, list do
    if math.type(key) ~= "integer" or key < 1 or key > rawlen(list) then
      Error.argument(name .. ":find", "a list of keys", list)
    end
  end
  if #primary == 1 then return query:sealed(function(q) return q:where_in(primary[1], list) end):all() end
  return query:sealed(function(q)
    if rawlen(list) == 0 then return q:where_in(primary[1], {}) end
    for _, key in ipairs(list) do
      if type(key) ~= "table" then Error.argument(name .. ":find", "a list of keys, each a list", key) end
      q = q:or_where(function(one) return with_key(one, primary, name, key) end)
    end
    return q
  end):all()
end

--- The row with this key, or nil; a list of keys gives a list of rows.
---@param query rille.Query
---@param ... any  one value for each column of the key, or one list of keys
function M.find(query, ...)
  local primary, name = primary_of(query)
  if #primary == 0 then
    Error.raise("unsupported", ("%s has no primary key to find by"):format(name))
  end
  local first = ...
  if select("#", ...) == 1 and type(first) == "table" then return find_list(query, primary, name, first) end
  if select("#", ...) == 0 then check_scalar(name, nil) end
  local key = table.pack(...)
  return query:sealed(function(q) return with_key(q, primary, name, key) end):first()
end

--- The same as find; raises not_found when a row is missing.
function M.find_or_fail(query, ...)
  local found, first = M.find(query, ...), ...
  local _, name = primary_of(query)
  if found == nil then
    local key = {}
    for i, value in ipairs { ... } do key[i] = tostring(value) end
    Error.raise("not_found", ("there is no %s with the key %s"):format(name, table.concat(key, ", ")), { model = name })
  elseif type(first) == "table" and select("#", ...) == 1 and #found < #first then
    Error.raise("not_found", ("only %d of %d %s keys were found"):format(#found, #first, name), { model = name })
  end
  return found
end

return M
