--- values: what the REPL must know of records, models and queries in order to print and complete them.
-- The one place of the REPL that looks behind what a model shows; nothing here runs a query, a cast or an accessor
-- unless it says so.
local core = require "rille.core"

local M = {}

local LOOKED_AT = 20          -- elements of a list that decide whether it is one of rows

--- A module of ours, if it was ever needed in this process.
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
  return list ~= nil and getmetatable(value) == list
end

local function is_record(value)
  return type(value) == "userdata" and core.is_record ~= nil and core.is_record(value)
end

local function is_query(value)
  local query = loaded "query"
  return query ~= nil and query.is(value)
end

--- A row as the database gives it: names to values.
local function is_row(value)
  if type(value) ~= "table" or getmetatable(value) ~= nil or next(value) == nil then return false end
  for name in next, value do
    if type(name) ~= "string" then return false end
  end
  return true
end

--- "records" or "rows" when all elements looked at are of that sort.
local function kind_of_list(value)
  local test = is_record(value[1]) and is_record or is_row
  for i = 1, math.min(#value, LOOKED_AT) do
    if not test(rawget(value, i)) then return nil end
  end
  return test == is_record and "records" or "rows"
end

--- How a value is to be shown; nil when it is nothing of ours.
---@param value any
---@return "record"|"records"|"rows"|"query"|"model"|"error"|nil
function M.kind(value)
  if is_record(value) then return "record" end
  if type(value) ~= "table" then return nil end
  if require "rille.error".is(value) then return "error" end
  if M.is_model(value) then return "model" end
  if is_query(value) then return "query" end
  local meta = getmetatable(value)
  if rawlen(value) > 0 and next(value, rawlen(value)) == nil and (meta == nil or M.is_list(value)) then
    return kind_of_list(value)
  end
  return nil
end

function M.is_model() return false end
function M.class_of() end
function M.model_names() return {} end
function M.columns() return {} end
function M.members(v) local o={} if type(v)=="table" then for k in next,v do o[#o+1]=k end end return o end
return M
