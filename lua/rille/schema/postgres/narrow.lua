--- postgres.narrow: a column's values in another type: how each gets there, and which do not; these are counted first.
-- A value goes by its text, the one in which rille gives it to a program; where both types are of one kind it is taken
-- as it is.  The messages are those of SQLite's narrow.lua.
local Ddl = require "rille.schema.postgres.ddl"
local Find = require "rille.schema.postgres.find"
local Name = require "rille.schema.name"
local Narrow = require "rille.schema.narrow"

local M = {}

-- Type of PostgreSQL -> kind of values.
local KINDS = {
  int2 = "integer", int4 = "integer", int8 = "integer", float4 = "real", float8 = "real", numeric = "decimal",
  bool = "boolean", text = "text", varchar = "text", bpchar = "text", bytea = "blob", date = "date",
  timestamptz = "datetime", timestamp = "datetime", json = "json", jsonb = "json", uuid = "uuid",
}

local ANY <const> = {}                 -- a column of no type in particular
local EXACT_DIGITS <const> = 15        -- SQLite keeps decimals of more digits as the texts that they were

-- Kind -> the text of a value, which is the one that SQLite would make of it; any other is cast.
local TEXTS = {
  real = [[regexp_replace(%s::text, '^(-?[0-9]+)(e.*)?$', '\1.0\2')]],
  boolean = "(case %s when true then '1' when false then '0' end)",
  datetime = [[(case when isfinite(%s) then to_char(%s at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    else %s::text end)]],
}

-- As rille_decimal_plain of the core takes it: PostgreSQL 16 would take more, and numbers have an end there.
local NUMBER <const> = [['^[ \t\n\v\f\r]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?0*[0-9]{1,3})?[ \t\n\v\f\r]*$']]
local NUMBER_BYTES <const> = 1000
local DATE <const> = [['^[0-9]{4}-[0-9]{2}-[0-9]{2}$']]
local MOMENT <const> = [['^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?]]
  .. [[(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])?)?$']]
local UUID <const> = [['^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$']]
local BIGINT_MIN <const>, BIGINT_MAX <const> = "-9223372036854775808", "9223372036854775807"
-- What is beyond them is infinite as a double, or 0.
local DOUBLE_END <const>, DOUBLE_LEAST <const> = "1.7976931348623158079372897140531e308", "2.4703282292062328e-324"

-- A function of the session, for what PostgreSQL 15 says only by failing.
local FITS <const> = "pg_temp.rille_fits"
local MAKE_FITS <const> = [[create or replace function pg_temp.rille_fits(value text, type text) returns boolean
  language plpgsql as $rille$ begin
    if type = 'json' then perform value::jsonb;
    elsif type = 'date' then perform value::date;
    else perform value::timestamptz; end if;
    return true;
  exception when others then return false; end $rille$]]

--- A condition that holds where the text is no number, or a number of which `wrong` (with %s for it) is true.
local function wrong_number(text, wrong)
  local number = ("(%s)::numeric"):format(text)
  return ("case when %s ~ %s and length(%s) <= %d then %s else true end"):format(text, NUMBER, text, NUMBER_BYTES,
    (wrong:gsub("%%s", function() return number end)))
end

local function wrong_form(type_name, form)
  return function(text)
    return ("case when %s ~ %s then not %s(%s, '%s') else true end"):format(text, form, FITS, text, type_name)
  end
end

-- Kind -> what rows would hold in vain, in words and as a condition on the text of a value.
local WRONG = {
  integer = { "no integer", function(text)
    return wrong_number(text, ("%%s <> trunc(%%s) or %%s not between %s and %s"):format(BIGINT_MIN, BIGINT_MAX))
  end },
  real = { "no number", function(text)
    return wrong_number(text, ("abs(%%s) >= %s or %%s <> 0 and abs(%%s) < %s"):format(DOUBLE_END, DOUBLE_LEAST))
  end },
  boolean = { "neither true nor false", function(text) return text .. " not in ('0', '1', '0.0', '1.0')" end },
  decimal = { "no number of so many digits", function(text, column)
    return wrong_number(text, ("%%s <> round(%%s, %d) or abs(%%s) >= 1%s"):format(column.scale,
      ("0"):rep(column.precision - column.scale)))
  end },
  date = { "no date", wrong_form("date", DATE) },
  datetime = { "no moment", wrong_form("timestamptz", MOMENT) },
  json = { "no JSON", function(text) return ("not %s(%s, 'json')"):format(FITS, text) end },
  uuid = { "no UUID", function(text) return ("lower(%s) !~ %s"):format(text, UUID) end },
}
local NEEDS_FUNCTION = { date = true, datetime = true, json = true }

-- Kind -> the SQL that makes a value of a text.
local MADE = {
  integer = "(%s)::numeric::bigint", real = "(%s)::double precision", boolean = "(%s in ('1', '1.0'))", text = "%s",
  decimal = "(%s)::numeric", date = "(%s)::date", datetime = "(%s)::timestamptz", json = "(%s)::jsonb",
  uuid = "(%s)::uuid", blob = "convert_to(%s, 'UTF8')",
}

--- `column` is what the text is for: a moment at which a day begins is that day.
local function text_of(source, kind, column)
  local name = Name.quote(source.name)
  if kind == "datetime" and column.type == "date" then
    return (("(case when %s at time zone 'UTC' = date_trunc('day', %s at time zone 'UTC') "
      .. "then (%s at time zone 'UTC')::date::text else %s::text end)"):gsub("%%s", function() return name end))
  end
  local digits = kind == "decimal" and tonumber(source.type:match "^numeric%((%d+),")
  if digits and digits <= EXACT_DIGITS then return ("trim_scale(%s)::text"):format(name) end
  return ((TEXTS[kind] or "%s::text"):gsub("%%s", function() return name end))
end

--- How the values of a column that is there become those of a new one.
---@param column rille.BlueprintColumn
---@param source rille.PostgresColumn
---@return string? sql  nil: as they are
function M.conversion(column, source)
  local kind = KINDS[source.base]
  if kind == column.type then
    if source.base == "timestamp" then return Name.quote(source.name) .. " at time zone 'UTC'" end
    return source.base == "json" and Name.quote(source.name) .. "::jsonb" or nil
  end
  local text = text_of(source, kind, column)
  return (MADE[column.type]:gsub("%%s", function() return text end))
end

--- What a column must not find in its rows; and whether that asks the function of the session.
local function tests_of(column, source)
  local name, kind = Name.quote(source.name), KINDS[source.base]
  local text, tests = text_of(source, kind, column), {}
  local shown = kind == "blob" and "null::text" or ('(%s) collate "C"'):format(text_of(source, kind, ANY))
  local function add(words, condition)
    tests[#tests + 1] = { column = column.name, words = words, sql = condition, shown = shown }
  end
  local wrong = WRONG[column.type]
  if wrong and (kind ~= column.type or column.type == "decimal") then
    add(wrong[1], wrong[2](text, column))
  elseif kind == "blob" and column.type == "text" then
    add("bytes instead of text", "true")
  end
  if column.length then
    add(("more than %d characters"):format(column.length), ("length(%s) > %d"):format(text, column.length))
  end
  if column.values then
    local renamed = setmetatable({ name = source.name }, { __index = column })
    add("none of its values", "not (" .. Ddl.type_check(renamed):gsub('^"[^(]*in', function()
      return text .. " in"
    end) .. ")")
  end
  for _, test in ipairs(tests) do test.sql = ("%s is not null and (%s)"):format(name, test.sql) end
  if not column.nullable and source.nullable then add("NULL", name .. " is null") end
  return tests, wrong ~= nil and kind ~= column.type and NEEDS_FUNCTION[column.type]
end

--- Raise when a row of the table would lose what it holds.
---@param run rille.SchemaRunner
---@param table_ rille.PostgresTable
---@param column rille.BlueprintColumn    what it shall be
---@param source rille.PostgresColumn     what it is
function M.check(run, table_, column, source)
  local tests, needs_function = tests_of(column, source)
  local primary = Find.primary(table_)
  if needs_function then run:execute(MAKE_FITS) end
  local found = Narrow.find(run, Name.quote(table_.name), tests, primary and primary.columns or {})
  if needs_function then run:execute("drop function " .. FITS .. "(text, text)") end
  Narrow.refuse(table_.name, found)
end

return M
