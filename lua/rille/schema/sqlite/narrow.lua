--- sqlite.narrow: refuses to change a column where rows hold what the new one would not: it counts them first.
-- The values are put into a temporary table that has the new types, so SQLite itself says what becomes of them.
local Name = require "rille.schema.name"
local Narrow = require "rille.schema.narrow"
local Ddl = require "rille.schema.sqlite.ddl"

local M = {}

local PROBE = "rille_probe"
local PROBE_PLACE = "temp." .. Name.quote(PROBE)

local function digits(count) return ("[0-9]"):rep(count) end
local DATE = digits(4) .. "-" .. digits(2) .. "-" .. digits(2)
local HEX = "[0-9a-f]"
local UUID = HEX:rep(8) .. ("-" .. HEX:rep(4)):rep(3) .. "-" .. HEX:rep(12)

--- Digits before and behind the point of a decimal that is kept as text.
local function wrong_decimal_text(c, column)
  local bare = ("ltrim(%s, '-')"):format(c)
  return ([[typeof(%s) = 'blob' or %s = '' or %s = '.' or %s glob '*[^0-9.]*' or %s glob '*.*.*'
    or instr(%s || '.', '.') - 1 > %d or length(%s) - instr(%s || '.', '.') > %d]]):format(c, bare, bare, bare, bare,
    bare, column.precision - column.scale, bare, bare, column.scale)
end

local function wrong_decimal(c, column)
  if Ddl.type_of(column):find "TEXT" then return wrong_decimal_text(c, column) end
  local bound = ("1%s.0"):format(("0"):rep(column.precision - column.scale))
  -- Not by abs(), which fails for the least integer.
  return ("typeof(%s) in ('text', 'blob') or %s >= %s or %s <= -%s or round(%s, %d) <> %s"):format(c, c, bound, c,
    bound, c, column.scale, c)
end

--- SQLite takes the 30th of February for the 1st of March.
local function no_day(c)
  return ("%s is not null and date(julianday(substr(%s, 1, 10))) is not substr(%s, 1, 10)"):format(c, c, c)
end

-- Type -> what the column's rows would hold in vain, in words and as a condition.
local WRONG = {
  integer = { "no integer", function(c) return ("typeof(%s) not in ('integer', 'null')"):format(c) end },
  real = { "no number", function(c) return ("typeof(%s) in ('text', 'blob')"):format(c) end },
  boolean = { "neither true nor false", function(c) return ("%s not in (0, 1)"):format(c) end },
  decimal = { "no number of so many digits", wrong_decimal },
  text = { "bytes instead of text", function(c) return ("typeof(%s) = 'blob'"):format(c) end },
  date = { "no date", function(c) return ("%s not glob '%s' or %s"):format(c, DATE, no_day(c)) end },
  datetime = { "no moment", function(c)
    return ("%s not glob '%s[T ]*' or %s or %s is not null and julianday(%s) is null"):format(c, DATE, no_day(c), c, c)
  end },
  json = { "no JSON", function(c) return ("%s is not null and not json_valid(%s)"):format(c, c) end },
  uuid = { "no UUID", function(c) return ("lower(%s) not glob '%s'"):format(c, UUID) end },
}

--- What one column must not find in its rows: a list of { words, condition }.
local function tests_of(column)
  local c = Name.quote(column.name)
  local tests = {}
  local wrong = WRONG[column.type]
  if wrong then tests[1] = { wrong[1], wrong[2](c, column) } end
  if column.length then
    local length = column.length
    tests[#tests + 1] = { ("more than %d characters"):format(length), ("length(%s) > %d"):format(c, length) }
  end
  if column.values then tests[#tests + 1] = { "none of its values", "not " .. Ddl.type_check(column) } end
  if not column.nullable then tests[#tests + 1] = { "NULL", c .. " is null" } end
  return tests
end

--- How a value gets into its new column, where the new type alone would not change it.
---@param column rille.BlueprintColumn
---@param source string    the column's name there
---@param declared string  its type there
---@return string? sql
function M.conversion(column, source, declared)
  local name = Name.quote(source)
  if column.type == "blob" then return ("cast(%s as blob)"):format(name) end
  local was = declared:upper()
  if column.type == "datetime" and was:find "^DATE%f[%W]" then       -- a day is the moment at which it begins
    return ("case when %s glob '%s' then %s || 'T00:00:00.000000Z' else %s end"):format(name, DATE, name, name)
  elseif column.type == "date" and was:find "^DATETIME" then
    return ("case when %s glob '%sT00:00:00.000000Z' then substr(%s, 1, 10) else %s end"):format(name, DATE, name, name)
  end
end

--- Raise when a row of the table would lose what it holds.
---@param run rille.SchemaRunner
---@param table_name string
---@param changes { column: rille.BlueprintColumn, source: string, declared: string }[]  new columns, what they are
---  called now, and their types now
function M.check(run, table_name, changes)
  if #changes == 0 then return end
  local declared, sources, tests = {}, {}, {}
  for i, change in ipairs(changes) do
    local column = change.column
    declared[i] = Name.quote(column.name) .. " " .. Ddl.type_of(column)
    sources[i] = M.conversion(column, change.source, change.declared) or Name.quote(change.source)
    for _, test in ipairs(tests_of(column)) do
      tests[#tests + 1] = { column = column.name, words = test[1], sql = test[2] }
    end
  end
  local place = "main." .. Name.quote(table_name)
  if #tests == 0 or run:value(("select exists (select 1 from %s) as value"):format(place)) == 0 then return end
  run:execute(("create temporary table %s (%s)"):format(Name.quote(PROBE), table.concat(declared, ", ")))
  run:execute(("insert into %s select %s from %s"):format(PROBE_PLACE, table.concat(sources, ", "), place))
  local row = run:rows(("select %s from %s"):format(Narrow.counts(tests), PROBE_PLACE))[1]
  run:execute("drop table " .. PROBE_PLACE)
  Narrow.refuse(table_name, tests, row)
end

return M
