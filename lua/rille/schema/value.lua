--- value: the default of a column: checked against the column's type, written as an SQL literal.
local core = require "rille.core"
local Error = require "rille.error"

local M = {}

local function is_number(value) return type(value) == "number" and value == value and math.abs(value) ~= math.huge end
local function is_text(value) return type(value) == "string" and utf8.len(value) and not value:find("\0", 1, true) end

--- A decimal number as text, when it fits the digits of the column.
local function decimal(value, column)
  local text = is_number(value) and (math.type(value) == "integer" and ("%d"):format(value) or ("%.15g"):format(value))
    or value
  if type(text) ~= "string" then return nil end
  local whole, fraction = text:match "^%-?(%d+)%.?(%d*)$"
  if not whole then return nil end
  whole = whole:gsub("^0+", "")
  if #fraction > column.scale or #whole > column.precision - column.scale then return nil end
  return text
end

local MONTH_DAYS = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

--- Is there such a day?
local function is_day(text)
  local year, month, day = text:match "^(%d%d%d%d)%-(%d%d)%-(%d%d)$"
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  if not year or not MONTH_DAYS[month] or day < 1 or day > MONTH_DAYS[month] then return false end
  local is_leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
  return month ~= 2 or day < 29 or is_leap
end

--- Is there such a time of day?
local function is_time(text)
  local hour, minute, second = text:match "^(%d%d):(%d%d):(%d%d)$"
  return hour ~= nil and tonumber(hour) < 24 and tonumber(minute) < 60 and tonumber(second) < 60
end

--- A text that is not longer than the column's `length` in characters, where it has one.
local function short_text(value, column)
  if not is_text(value) or column.length and utf8.len(value) > column.length then return nil end
  return value
end

local function json(value)
  if not is_text(value) then return nil end
  return pcall(require "rille.json".decode, value, "default") and value or nil
end

local function one_of(value, values)
  for _, each in ipairs(values) do
    if each == value then return true end
  end
  return false
end

-- Type -> { what a default must be, in words, and the value to store or nil }.
local TYPES = {
  integer = { "an integer", function(value) return math.tointeger(is_number(value) and value or nil) end },
  real = { "a finite number", function(value) return is_number(value) and value + 0.0 or nil end },
  text = { "a text (UTF-8, without NUL bytes)", short_text },
  boolean = { "true or false", function(value)
    if type(value) == "boolean" then return value end
    return nil
  end },
  decimal = { "a number that fits its digits", decimal },
  date = { "a date (YYYY-MM-DD)", function(value)
    return is_text(value) and is_day(value) and value or nil
  end },
  -- Stored the way the core stores moments, or they would not sort with the others.
  datetime = { "a moment in UTC (2026-11-20T12:00:00Z)", function(value)
    local day, time, fraction = (is_text(value) and value or ""):match "^([%d-]+)T([%d:]+)%.?(%d*)Z$"
    if not day or not is_day(day) or not is_time(time) or #fraction > 6 then return nil end
    return ("%sT%s.%s%sZ"):format(day, time, fraction, ("0"):rep(6 - #fraction))
  end },
  json = { "JSON as text", json },
  blob = { "a string of bytes", function(value) return type(value) == "string" and value or nil end },
  uuid = { "a UUID", function(value)
    local text = is_text(value) and value:lower() or ""
    local pattern = "^" .. ("%x"):rep(8) .. ("%-" .. ("%x"):rep(4)):rep(3) .. "%-" .. ("%x"):rep(12) .. "$"
    return text:find(pattern) and text or nil
  end },
}

--- What a column stores for the default that was given; raises when its type does not take it.
---@param where string
---@param column table  of a blueprint
---@param value any     core.null for NULL
---@return any stored   core.null, a boolean, a number or a string
function M.check(where, column, value)
  if value == nil then Error.argument(where, "a value", value, "rille.null stands for NULL") end
  if value == core.null then return value end
  local rule = TYPES[column.type]
  local stored = rule[2](value, column)
  if stored == nil then
    local what = rule[1]
    if column.length then what = ("%s of at most %d characters"):format(what, column.length) end
    Error.argument(where, what, value)
  end
  if column.values and not one_of(stored, column.values) then
    local values = column.values
    Error.argument(where, "one of " .. table.concat(values, ", "), value, Error.did_you_mean(value, values))
  end
  return stored
end

--- A value as SQL text.
---@param value any     core.null, a boolean, a number or a string
---@param is_blob? boolean
---@return string
function M.literal(value, is_blob)
  if value == core.null then return "null" end
  if value == true then return "1" end
  if value == false then return "0" end
  if math.type(value) == "integer" then return ("%d"):format(value) end
  if math.type(value) == "float" then
    local text = ("%.15g"):format(value)
    if tonumber(text) ~= value then text = ("%.17g"):format(value) end
    return text:find "[.e]" and text or text .. ".0"
  end
  if is_blob then return "x'" .. value:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end) .. "'" end
  return "'" .. value:gsub("'", "''") .. "'"
end

return M
