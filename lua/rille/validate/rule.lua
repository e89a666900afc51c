--- validate.rule: what each rule of `validates` takes, and the test that it becomes.
-- A test is called with a value that is there, its record, and whether the value changed.  It returns nothing for a
-- value that is right, else what is wrong with it: the rest of a sentence that begins with the field.
local Error = require "rille.error"

---@class rille.FieldRules  what `validates` says of one column; a list of these where conditions differ
---@field required? boolean   wants a value: NULL and "" are none, false and 0 are; a new record may leave out what the
---                           database fills in.  All other rules pass NULL.
---@field min? number         the value of a number, characters of a text, entries of a list, bytes of a blob
---@field max? number
---@field length? integer|integer[]   exactly so many, or { least, most }
---@field format? string|userdata     a Lua pattern, looked for as string.find does, so anchors are its own; or an LPeg
---                                   pattern, which has to match from the first byte to the last
---@field one_of? any[]
---@field unique? boolean|{ within: string|string[] }  wants a unique index over the column (and those beside it)
---@field references? boolean|string  wants a foreign key (to the table of that name)
---@field confirmed? boolean  NAME_confirmation must come with each change, the same as was given for NAME
---@field check? fun(value: any, record: rille.Record): boolean?, string?  true, or false and what is wrong
---@field when? fun(record: rille.Record): any  for which records the rules are; the database keeps its own regardless
---@field on? "create"|"update"
---@field message? string|table<string, string>  what is said instead, of all rules or by rule

local M = {}

local SHOWN_VALUES <const> = 8         -- of one_of, in its message

--- What a record was given for a column that is confirmed, and for its confirmation, before any mutator.
---@type table<rille.Record, table<string, any>>
M.typed = setmetatable({}, { __mode = "k" })

-- -- how much there is of a value -----------------------------------------------------------------------------------

local function number(value)
  if type(value) ~= "number" or value ~= value then return nil, "is no number" end
  return value, "number"
end

--- A decimal is a text; its rounding to a float never turns an order round.
local function decimal(value) return number(tonumber(value)) end

local function characters(value)
  local count = type(value) == "string" and utf8.len(value)
  if not count then return nil, "is no text in UTF-8" end
  return count, "character"
end

local function bytes(value) return #value, "byte" end

local function entries(value)
  local count = rawlen(value)
  if count == 0 then
    for _ in next, value do count = count + 1 end
  end
  return count, "entry"
end

local function anything(value)
  local kind = type(value)
  if kind == "number" then return number(value) end
  if kind == "string" then return characters(value) end
  if kind == "table" then return entries(value) end
  return nil, "is no number, no text and no list"
end

-- Type of a column -> what its values are measured by; the types that are left out have no measure.
local MEASURE = {
  integer = number, real = number, timestamp = number, decimal = decimal, text = characters, uuid = characters,
  blob = bytes, json = anything, any = anything,
}

local PLURAL = { character = "characters", byte = "bytes", entry = "entries" }

local function units(count, unit) return ("%s %s"):format(count, count == 1 and unit or PLURAL[unit]) end

--- The measure of a column, and whether it counts instead of comparing.
local function measure_of(rule, column)
  local measure = MEASURE[column.type]
  if not measure then
    Error.raise("invalid_argument", ("%s: %s has no meaning for a column of the type %s"):format(column.place, rule,
      column.type), { column = column.name, hint = "check = function(value) … end compares as you like" })
  end
  return measure, measure ~= number and measure ~= decimal
end

--- Messages by unit.
local function sayings(numbers, counts, limit)
  return { number = numbers:format(limit), character = counts:format(units(limit, "character")),
    byte = counts:format(units(limit, "byte")), entry = counts:format(units(limit, "entry")) }
end

local function check_count(rule, limit, column, measure, counts)
  if not counts or measure == anything then return end
  if math.type(limit) ~= "integer" or limit < 0 then
    Error.argument(("%s: %s of a column of the type %s"):format(column.place, rule, column.type),
      "a whole number, from 0", limit)
  end
end

local function check_limit(place, limit)
  if type(limit) ~= "number" or limit ~= limit then Error.argument(place, "a number", limit) end
end

-- -- the rules ------------------------------------------------------------------------------------------------------

---@class rille.RuleKind
---@field check fun(place: string, option: any, spec: table)  raises unless the option is right
---@field make? fun(option: any, column: table, said: string?): function  the test; `said` replaces its message

---@type table<string, rille.RuleKind>
M.kinds = {}

local function boolean(place, option)
  if type(option) ~= "boolean" then Error.argument(place, "true or false", option) end
end

M.kinds.required = { check = boolean }

M.kinds.min = {
  check = function(place, limit, spec)
    check_limit(place, limit)
    if type(spec.max) == "number" and spec.max < limit then
      Error.raise("invalid_argument", ("%s: %s is more than max, %s: no value could be right"):format(place, limit,
        spec.max))
    end
  end,
  make = function(limit, column, said)
    local measure, counts = measure_of("min", column)
    check_count("min", limit, column, measure, counts)
    local messages = sayings("must be at least %s", "must have at least %s", limit)
    return function(value)
      local amount, unit = measure(value)
      if not amount then return said or unit end
      if amount < limit then return said or messages[unit] end
    end
  end,
}

M.kinds.max = {
  check = check_limit,
  make = function(limit, column, said)
    local measure, counts = measure_of("max", column)
    check_count("max", limit, column, measure, counts)
    local messages = sayings("must be at most %s", "must have at most %s", limit)
    return function(value)
      local amount, unit = measure(value)
      if not amount then return said or unit end
      if amount > limit then return said or messages[unit] end
    end
  end,
}

local function is_count(value) return math.type(value) == "integer" and value >= 0 end

M.kinds.length = {
  check = function(place, length)
    if is_count(length) then return end
    if type(length) ~= "table" or #length ~= 2 or not (is_count(length[1]) and is_count(length[2]))
        or length[1] > length[2] or next(length, 2) ~= nil then
      Error.argument(place, "a whole number, or { least, most }", length)
    end
  end,
  make = function(length, column, said)
    local measure, counts = measure_of("length", column)
    if not counts then
      Error.raise("invalid_argument", ("%s: length counts characters, and %s holds numbers"):format(column.place,
        column.name), { column = column.name, hint = "min and max bound a number" })
    end
    local least, most = length, length
    if type(length) == "table" then least, most = length[1], length[2] end
    return function(value)
      local amount, unit = measure(value)
      if not amount then return said or unit end
      if unit == "number" then return said or "is a number and has no length" end
      if amount < least or amount > most then
        return said or least == most and "must have " .. units(least, unit)
          or ("must have %d to %s"):format(least, units(most, unit))
      end
    end
  end,
}

local function is_lpeg(value)
  return type(value) == "userdata" and require "lpeg".type(value) == "pattern"
end

--- The test of an LPeg pattern, which has to match the whole text; what it captures does not count.
local function whole_match(pattern)
  local lpeg = require "lpeg"
  local whole = require "rille.grammar".compile(pattern / 0 * -lpeg.P(1))
  return function(value) return lpeg.match(whole, value) ~= nil end
end

local HAS_NO_FORM = { integer = true, real = true, timestamp = true, boolean = true }

M.kinds.format = {
  check = function(place, pattern)
    if is_lpeg(pattern) then return end
    if type(pattern) ~= "string" then Error.argument(place, "a Lua pattern or an LPeg pattern", pattern) end
    local problem = require "rille.validate.pattern".problem(pattern)
    if problem then
      Error.raise("invalid_argument", ("%s: %s is no Lua pattern: %s"):format(place, Error.show(pattern), problem))
    end
  end,
  make = function(pattern, column, said)
    if HAS_NO_FORM[column.type] then
      Error.raise("invalid_argument", ("%s: format is about texts, and %s holds values of the type %s"):format(
        column.place, column.name, column.type), { column = column.name })
    end
    local message = said or "has the wrong form"
    local matches = is_lpeg(pattern) and whole_match(pattern)
      or function(value) return value:find(pattern) ~= nil end
    return function(value)
      if type(value) ~= "string" or not matches(value) then return message end
    end
  end,
}

local function listed(values)
  local shown = {}
  for i = 1, math.min(#values, SHOWN_VALUES) do shown[i] = tostring(values[i]) end
  if #values > SHOWN_VALUES then return ("%s … (%d values)"):format(table.concat(shown, ", "), #values) end
  if #shown == 1 then return shown[1] end
  return ("%s or %s"):format(table.concat(shown, ", ", 1, #shown - 1), shown[#shown])
end

M.kinds.one_of = {
  check = function(place, values)
    if type(values) ~= "table" or rawlen(values) == 0 then
      Error.argument(place, "a list of values", type(values) == "table" and "{}" or values)
    end
    for i in next, values do
      if math.type(i) ~= "integer" or i < 1 or i > rawlen(values) then
        Error.argument(place, "a list of values without holes or names", i)
      end
    end
    for i = 1, rawlen(values) do
      local kind = type(values[i])
      if kind ~= "string" and kind ~= "number" and kind ~= "boolean" or values[i] ~= values[i] then
        Error.argument(place, "texts, numbers and booleans", values[i])
      end
    end
  end,
  make = function(values, column, said)
    local known, message = {}, said or "must be " .. listed(values)
    for i = 1, #values do known[column.canonical(values[i])] = true end
    return function(value)
      if not known[value] then return message end
    end
  end,
}

M.kinds.confirmed = {
  check = boolean,
  make = function(_, column, said)
    local name, confirmation, typed = column.name, M.confirmation(column.name), M.typed
    local message = said or "is not what was typed as its confirmation"
    return function(_, record, changed)
      if not changed then return end
      local given = typed[record]
      if not given or given[name] == nil or given[name] ~= given[confirmation] then return message end
    end
  end,
}

local function judged(place, said, ...)
  local right, why = ...
  if right then return end
  if select("#", ...) == 0 then
    Error.raise("invalid_argument", place .. ": the function check returned nothing",
      { hint = "return true, or false and what is wrong" })
  end
  if why ~= nil and type(why) ~= "string" then
    Error.argument(place .. ": what the function check says of a value", "a text", why)
  end
  return said or why or "is not valid"
end

M.kinds.check = {
  check = function(place, fn)
    if type(fn) ~= "function" then Error.argument(place, "a function of the value and the record", fn) end
  end,
  make = function(fn, column, said)
    local place = column.place
    return function(value, record) return judged(place, said, fn(value, record)) end
  end,
}

M.kinds.unique = {
  check = function(place, option)
    if type(option) == "boolean" then return end
    if type(option) ~= "table" then Error.argument(place, "true, or { within = columns }", option) end
    Error.options(place, option, { "within" })
    for _, name in ipairs(M.within(option)) do
      if type(name) ~= "string" then Error.argument(place .. ".within", "names of columns", name) end
    end
    if #M.within(option) == 0 then Error.argument(place .. ".within", "names of columns", option.within) end
  end,
}

M.kinds.references = {
  check = function(place, option)
    if type(option) ~= "boolean" and type(option) ~= "string" then
      Error.argument(place, "true, or the name of a table", option)
    end
  end,
}

--- The columns beside which a unique value is unique.
---@param option true|{ within: string|string[] }
---@return string[]
function M.within(option)
  local within = type(option) == "table" and option.within or nil
  return type(within) == "table" and within or { within }
end

--- The attribute that says a value again.
---@param name string
---@return string
function M.confirmation(name) return name .. "_confirmation" end

--- The rules in the order in which they are tried.
M.names = { "required", "length", "min", "max", "format", "one_of", "confirmed", "check", "unique", "references" }

return M
