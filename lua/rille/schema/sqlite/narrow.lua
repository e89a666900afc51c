--- sqlite.narrow: refuses to change a column where rows hold what the new one would not: it counts them first.
-- A column may hold values of any type: each goes by its text, as at PostgreSQL, and becomes a number by rille's own
-- functions, since SQLite itself takes no notice of digits that its numbers have no room for.
local Definition = require "rille.schema.sqlite.definition"
local Name = require "rille.schema.name"
local Narrow = require "rille.schema.narrow"
local Ddl = require "rille.schema.sqlite.ddl"

local M = {}

local INTEGER_DIGITS <const> = 19      -- of the greatest

local function digits(count) return ("[0-9]"):rep(count) end
local DATE <const> = digits(4) .. "-" .. digits(2) .. "-" .. digits(2)
-- A day, or a day and a time to the minute, to the second or to a fraction of it, in UTC or with its distance from it.
local MOMENTS <const> = { DATE }
for _, zone in ipairs { "", "Z", "[+-][01][0-9]:[0-5][0-9]" } do
  local minute = DATE .. "[T ][0-2][0-9]:[0-5][0-9]"
  MOMENTS[#MOMENTS + 1] = minute .. zone
  for behind = 0, 6 do
    MOMENTS[#MOMENTS + 1] = minute .. ":[0-5][0-9]" .. (behind > 0 and "." or "") .. digits(behind) .. zone
  end
end
local HEX <const> = "[0-9a-f]"
local UUID <const> = HEX:rep(8) .. ("-" .. HEX:rep(4)):rep(3) .. "-" .. HEX:rep(12)

--- SQL that has a value `%s` in it more than once.
local function with(value, sql) return (sql:gsub("%%s", function() return value end)) end

local function text_of(value) return ("rille_text_of(%s)"):format(value) end

--- The decimal that a value is, as text; NULL where it is none.
local function decimal_of(value, precision, scale)
  return ("rille_decimal_of(%s, %d, %d)"):format(value, precision, scale)
end

--- SQLite takes the 30th of February for the 1st of March, and counts a year 0.
local function no_day(value)
  return with(value, "date(julianday(substr(%s, 1, 10))) is not substr(%s, 1, 10) or substr(%s, 1, 4) = '0000'")
end

local function no_moment(value)
  return ("not (%s glob '%s') or %s or %s"):format(value, table.concat(MOMENTS, with(value, "' or %s glob '")),
    no_day(value), with(value, "substr(%s, 12, 2) > '23' or julianday(%s) is null"))
end

-- Type -> what the column's rows would hold in vain, in words and as a condition on the value as it gets there.
local WRONG <const> = {
  integer = { "no integer", function(value)
    local decimal = decimal_of(value, INTEGER_DIGITS, 0)
    return with(decimal, "%s is null or cast(cast(%s as integer) as text) <> %s")
  end },
  real = { "no number", function(value) return with(value, "rille_real_of(%s) is null") end },
  boolean = { "neither true nor false", function(value)
    return text_of(value) .. " not in ('0', '1', '0.0', '1.0')"
  end },
  decimal = { "no number of so many digits", function(value, column)
    return decimal_of(value, column.precision, column.scale) .. " is null"
  end },
  date = { "no date", function(value) return ("%s not glob '%s' or %s"):format(value, DATE, no_day(value)) end },
  datetime = { "no moment", no_moment },
  json = { "no JSON", function(value) return ("not json_valid(%s)"):format(text_of(value)) end },
  uuid = { "no UUID", function(value) return ("lower(%s) not glob '%s'"):format(value, UUID) end },
}

-- Type -> the value in it, where the type alone would not change it.
local MADE <const> = {
  integer = function(value)
    return with(value, "case when typeof(%s) in ('text', 'real') then cast(" .. decimal_of(value, INTEGER_DIGITS, 0)
      .. " as integer) else %s end")
  end,
  real = function(value) return with(value, "case typeof(%s) when 'text' then rille_real_of(%s) else %s end") end,
  decimal = function(value, column) return decimal_of(value, column.precision, column.scale) end,
  text = function(value) return with(value, "case typeof(%s) when 'real' then rille_text_of(%s) else %s end") end,
  blob = function(value) return with(value, "cast(%s as blob)") end,
  datetime = function(value)                                           -- a day is the moment at which it begins
    return with(value, "case when %s glob '" .. DATE .. "' then %s || 'T00:00:00.000000Z' else %s end")
  end,
  date = function(value, _, was)
    if not was:find "^DATETIME" then return nil end
    return with(value, "case when %s glob '" .. DATE .. "T00:00:00.000000Z' then substr(%s, 1, 10) else %s end")
  end,
}

--- How a value gets into its new column; nil: as it is.
---@param column rille.BlueprintColumn
---@param source string    the column's name there
---@param declared string  its type there
---@return string? sql
function M.conversion(column, source, declared)
  local make = MADE[column.type]
  return make and make(Name.quote(source), column, declared:upper())
end

--- What one column must not find in its rows.
local function tests_of(change)
  local column, source = change.column, Name.quote(change.source)
  local tests, wrong, text = {}, WRONG[column.type], text_of(source)
  local function add(words, condition)
    tests[#tests + 1] = { column = column.name, words = words, sql = condition,
      shown = text }
  end
  local function add_of_value(words, condition) add(words, ("%s is not null and (%s)"):format(source, condition)) end
  if wrong then
    local value = column.type == "date" and M.conversion(column, change.source, change.declared) or source
    add_of_value(wrong[1], ("case typeof(%s) when 'blob' then true else %s end"):format(source,
      wrong[2](value, column)))
  elseif column.type == "text" then
    add_of_value("bytes instead of text", with(source, "typeof(%s) = 'blob'"))
  end
  if column.length then
    add_of_value(("more than %d characters"):format(column.length), ("length(%s) > %d"):format(text, column.length))
  end
  if column.values then
    add_of_value("none of its values", "not (" .. Ddl.type_check(column):gsub('^"[^(]*in', function()
      return text .. " in"
    end) .. ")")
  end
  if not column.nullable then add("NULL", source .. " is null") end
  return tests
end

--- Raise when a row of the table would lose what it holds.
---@param run rille.SchemaRunner
---@param table_ rille.CatalogTable
---@param changes { column: rille.BlueprintColumn, source: string, declared: string }[]  new columns, what they are
---  called now, and their types now
function M.check(run, table_, changes)
  local tests = {}
  for _, change in ipairs(changes) do
    for _, test in ipairs(tests_of(change)) do tests[#tests + 1] = test end
  end
  Narrow.refuse(table_.name, Narrow.find(run, "main." .. Name.quote(table_.name), tests,
    Definition.primary(table_.definition)))
end

return M
