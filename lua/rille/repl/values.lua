--- values: what the REPL must know of records, models and queries in order to print and complete them.
-- The one place of the REPL that looks behind what a model shows.  Only `read` runs code of the user: casts, accessors.
local core = require "rille.core"

local M = {}

local LOOKED_AT = 20          -- elements of a list that decide whether it is one of rows

--- A module of ours, if it was ever needed in this process: before that none of its values exist.
local function loaded(name)
  return package.loaded["rille." .. name]
end

---@param value any
---@return boolean
function M.is_null(value) return value == core.null end

---@param value any
---@return boolean
function M.is_list(value)
  local list = loaded "list"
  return list ~= nil and type(value) == "table" and getmetatable(value) == list
end

local function is_model(value)
  local model = loaded "model"
  return model ~= nil and model.is_class(value)
end

local function is_query(value)
  local meta = type(value) == "table" and getmetatable(value)
  return type(meta) == "table" and rawget(meta, "__name") == "rille.Query"
end

--- A row as the database gives it: names to values.
local function is_row(value)
  if type(value) ~= "table" or getmetatable(value) ~= nil or next(value) == nil then return false end
  for name in next, value do
    if type(name) ~= "string" then return false end
  end
  return true
end

--- "records" or "rows" when all elements looked at are of that sort, and of one model.
local function kind_of_list(list)
  local class = M.class_of(list[1])
  for i = 1, math.min(#list, LOOKED_AT) do
    local value = rawget(list, i)
    if class and not (core.is_record(value) and value._class == class) then return nil end
    if not class and not is_row(value) then return nil end
  end
  return class and "records" or "rows"
end

--- How a value is to be shown; nil when it is nothing of ours.
---@param value any
---@return "record"|"records"|"rows"|"query"|"model"|"error"|nil
function M.kind(value)
  if core.is_record(value) then return "record" end
  if type(value) ~= "table" then return nil end
  if require "rille.error".is(value) then return "error" end
  if is_model(value) then return "model" end
  if is_query(value) then return "query" end
  local length = rawlen(value)
  local is_array = length > 0 and next(value, length) == nil and (getmetatable(value) == nil or M.is_list(value))
  return is_array and kind_of_list(value) or nil
end

--- The model of a record, a query or a list of records; a model is its own.
---@param value any
---@return rille.Model|nil
function M.class_of(value)
  if core.is_record(value) then return value._class end
  if is_model(value) then return value end
  if is_query(value) then return value[1].class end
  return nil
end

--- Names of all models, those of files not yet read too.
---@return string[]
function M.model_names()
  local ok, names = pcall(function() return require "rille.autoload".names() end)
  return ok and names or {}
end

--- Names of the tables of the default database; none when it cannot be asked.
---@return string[]
function M.table_names()
  local ok, names = pcall(function() return require "rille.database".get():tables() end)
  return ok and names or {}
end

--- The table of a model; nil when there is no such model.
---@param name string
---@return string|nil
function M.table_of(name)
  local ok, class = pcall(function() return require "rille.autoload".find(name) end)
  return ok and class and class._def.table or nil
end

--- Columns of a model's table, as the database has them; none when it cannot be asked.
---@param class rille.Model
---@return string[]
function M.columns(class)
  local ok, names = pcall(function() return class:columns() end)
  return ok and names or {}
end

--- The attributes that a record was read with, and the type of each column.
---@param record rille.Record
---@return { name: string, type: string? }[]
function M.columns_of(record)
  local class, types, columns = record._class, {}, {}
  local ok, described = pcall(function()
    return require "rille.database".get(class._def.connection):describe(class._def.table)
  end)
  for _, column in ipairs(ok and described and described.columns or {}) do types[column.name] = column.type end
  for i, name in ipairs(core.record_names(record)) do columns[i] = { name = name, type = types[name] } end
  return columns
end

--- An attribute as the model gives it; what its cast or accessor raises comes back as a text.
---@param record rille.Record
---@param name string
---@return any
function M.read(record, name)
  local ok, value = pcall(function() return record[name] end)
  if ok then return value end
  return ("<%s>"):format(tostring(value))
end

--- One line that says what a record or model is.
---@param value rille.Record|rille.Model
---@return string
function M.title(value)
  if is_model(value) then
    local columns = M.columns(value)
    local list = columns[1] and " (" .. table.concat(columns, ", ") .. ")" or ""
    return ("%s: the rows of %s%s"):format(value._def.name, value._def.table, list)
  end
  if not value:exists() then return value._class._def.name .. ", not saved" end
  return tostring(value) .. (value:is_dirty() and ", changed" or "")
end

local function keys(...)
  local names = {}
  for _, each in ipairs { ... } do
    for name in next, each do names[#names + 1] = name end
  end
  return names
end

local function append(names, more)
  return table.move(more, 1, #more, #names + 1, names)
end

local function methods_of_records(class)
  return keys(require "rille.record".behaviour(class, {}).methods)
end

--- Names that may follow a plain value: its keys, and those of the tables it inherits from.
local function names_in(value)
  local names, depth = {}, 0
  if type(value) == "string" then value = string end
  while type(value) == "table" and depth < 5 do
    append(names, keys(value))
    local meta = getmetatable(value)
    value = type(meta) == "table" and rawget(meta, "__index") or nil
    depth = depth + 1
  end
  return names
end

--- Names that may follow an expression.
---@param value any   what it is, as far as that is known without running it
---@param class rille.Model|nil  the model it has to do with
---@param mark "."|":"
---@param called boolean  the expression calls something, whose result may be a query or a record
---@return string[]
function M.members(value, class, mark, called)
  if not class then return M.is_list(value) and keys(loaded "list") or names_in(value) end
  local names = {}
  local is_record = core.is_record(value) or called
  if is_record then append(names, methods_of_records(class)) end
  if is_record and mark == "." then append(append(names, M.columns(class)), keys(class._def.accessors)) end
  if not core.is_record(value) then append(names, require "rille.model".members(class)) end
  return names
end

return M
