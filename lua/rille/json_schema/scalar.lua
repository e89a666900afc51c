--- scalar: the keywords of JSON Schema about any value, about numbers and texts, and about how much there is.
local core = require "rille.core"
local Error = require "rille.error"
local Format = require "rille.json_schema.format"
local Keyword = require "rille.json_schema.keyword"
local Place = require "rille.json_schema.place"
local Regex = require "rille.json_schema.regex"

local M = {}

local SHOWN_VALUES <const> = 8
local TOLERANCE <const> = 1e-9            -- how near to a whole number a quotient must be

local refuse, wants = Place.refuse, Place.wants
local keyword, canonical = Keyword.define, Keyword.canonical
local is_number, is_text, is_array, is_object = Keyword.is_number, Keyword.is_text, Keyword.is_array, Keyword.is_object

-- -- any value -------------------------------------------------------------------------------------------------------

local TYPES = {
  null = { "null", function(value) return value == core.null end },
  boolean = { "true or false", function(value) return type(value) == "boolean" end },
  integer = { "an integer", function(value) return is_number(value) and math.tointeger(value) ~= nil end },
  number = { "a number", is_number }, string = { "a text", is_text },
  array = { "a list", is_array }, object = { "an object", is_object },
}
M.types = { "null", "boolean", "integer", "number", "string", "array", "object" }

--- The types that `type` says, as a list.
---@param pointer string
---@param option any
---@return string[]
function M.types_of(pointer, option)
  local list = is_text(option) and { option } or Place.texts(pointer, option, true)
  for _, name in ipairs(list) do
    if not TYPES[name] then
      refuse(pointer, ("there is no type %s"):format(Error.quote(name)), Error.did_you_mean(name, M.types))
    end
  end
  return list
end

keyword("type", nil, function(_, option, pointer)
  local words, checks = {}, {}
  for i, name in ipairs(M.types_of(pointer, option)) do words[i], checks[i] = TYPES[name][1], TYPES[name][2] end
  local message = "must be " .. table.concat(words, " or ")
  return function(value)
    for i = 1, #checks do
      if checks[i](value) then return end
    end
    return message
  end
end)

local function one_of(values)
  local known, shown = {}, {}
  for i, value in ipairs(values) do
    known[canonical(value)] = true
    if i <= SHOWN_VALUES then shown[i] = is_text(value) and value or require "rille.json".encode(value) end
  end
  local message = "must be " .. table.concat(shown, ", ", 1, math.max(1, #shown - 1))
  if #values > SHOWN_VALUES then
    message = ("must be %s … (%d values)"):format(table.concat(shown, ", "), #values)
  elseif #shown > 1 then
    message = message .. " or " .. shown[#shown]
  end
  return function(value)
    if not known[canonical(value)] then return message end
  end
end

keyword("enum", nil, function(_, option, pointer) return one_of(Place.list(pointer, option, true)) end)
keyword("const", nil, function(_, option) return one_of { option } end)

-- -- numbers ---------------------------------------------------------------------------------------------------------

--- Raise unless the option is a number that JSON can say.
local function number(pointer, option)
  if not is_number(option) then wants(pointer, "a number", option) end
  return option
end

local function bound(name, words, holds)
  keyword(name, "number", function(_, option, pointer)
    local limit, message = number(pointer, option), ("must be %s %s"):format(words, option)
    return function(value)
      if is_number(value) and not holds(value, limit) then return message end
    end
  end)
end

bound("minimum", "at least", function(value, limit) return value >= limit end)
bound("exclusiveMinimum", "more than", function(value, limit) return value > limit end)
bound("maximum", "at most", function(value, limit) return value <= limit end)
bound("exclusiveMaximum", "less than", function(value, limit) return value < limit end)

keyword("multipleOf", "number", function(_, option, pointer)
  local step, message = number(pointer, option), ("must be a multiple of %s"):format(option)
  if step <= 0 then wants(pointer, "a number above 0", option) end
  local whole = math.tointeger(step)
  return function(value)
    if not is_number(value) then return end
    if whole and math.type(value) == "integer" then return value % whole ~= 0 and message or nil end
    local quotient = value / step
    local off = math.abs(quotient - math.floor(quotient + 0.5))
    if off > TOLERANCE * math.max(1, math.abs(quotient)) then return message end
  end
end)

-- -- how much there is -----------------------------------------------------------------------------------------------

--- Raise unless the option is a whole number, from 0.
---@param pointer string
---@param option any
---@return integer
function M.count(pointer, option)
  local whole = is_number(option) and math.tointeger(option)
  if not whole or whole < 0 then wants(pointer, "a whole number, from 0", option) end
  return whole
end

local function members(value)
  local n = 0
  for _ in next, value do n = n + 1 end
  return n
end

local function entries(value) return #value end

for _, each in ipairs {
  { "Length", "string", is_text, utf8.len, "character", "characters" },
  { "Items", "array", is_array, entries, "entry", "entries" },
  { "Properties", "object", is_object, members, "member", "members" },
} do
  local suffix, about, is_one, measure, unit, units = table.unpack(each)
  local function said(words, limit) return ("must have %s %d %s"):format(words, limit, limit == 1 and unit or units) end
  keyword("min" .. suffix, about, function(_, option, pointer)
    local limit = M.count(pointer, option)
    local message = said("at least", limit)
    return function(value)
      if is_one(value) and (measure(value) or 0) < limit then return message end
    end
  end)
  keyword("max" .. suffix, about, function(_, option, pointer)
    local limit = M.count(pointer, option)
    local message = said("at most", limit)
    return function(value)
      if is_one(value) and (measure(value) or #value) > limit then return message end
    end
  end)
end

-- -- texts -----------------------------------------------------------------------------------------------------------

--- Compile a regular expression, or refuse it.
---@param pointer string
---@param option any
---@return rille.Regex
function M.regex(pointer, option)
  if not is_text(option) then wants(pointer, "a regular expression", option) end
  local compiled, problem = Regex.compile(option)
  if not compiled then
    refuse(pointer, ("%s: %s"):format(Error.quote(option), problem), nil, "unsupported")
  end
  return compiled
end

keyword("pattern", "string", function(_, option, pointer)
  local compiled = M.regex(pointer, option)
  return function(value)
    if is_text(value) and not compiled:finds(value) then return "has the wrong form" end
  end
end)

keyword("format", "string", function(_, option, pointer)
  local format = Format.kinds[option]
  if not is_text(option) then wants(pointer, "the name of a format", option) end
  if not format then
    refuse(pointer, ("the format %s is not known"):format(Error.quote(option)), Error.did_you_mean(option, Format.names)
      or "these are: " .. table.concat(Format.names, ", "), "unsupported")
  end
  local message, is_one = "must be " .. format[1], format[2]
  return function(value)
    if is_text(value) and not is_one(value) then return message end
  end
end)

return M
