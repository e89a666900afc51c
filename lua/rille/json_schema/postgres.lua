--- postgres: the picture of a table of PostgreSQL in the words of SQLite's, which derive.lua reads.
-- Types, defaults and the conditions that create_table makes are translated; what is something else stays as it is.
local Ddl = require "rille.schema.sqlite.ddl"
local Name = require "rille.schema.name"
local Recall = require "rille.schema.postgres.recall"
local Value = require "rille.schema.value"
local copy = require "rille.copy"

local M = {}

-- A condition without casts -> the same in SQLite's words; \1 and %s are the column.
local CONDITIONS <const> = {
  { "^\1 ([<>]=?) (%-?[%d.e+-]+)$", "%%s %s %s" },
  { "^\1 = (%-?[%d.e+-]+)$", "%%s in (%s)" },
  { "^\1 = ANY %(ARRAY%[([%d., e+-]+)%]%)$", "%%s in (%s)" },
  { "^length%(\1%) ([<>]=?) (%d+)$", "length(%%s) %s %s" },
  { "^%(\1 %% (%d+)%) = 0$", "%%s %%%% %s = 0" },
  { "^jsonb_typeof%(\1%) = '(%a+)'$", "json_type(%%s) = '%s'" },
  { "^jsonb_typeof%(\1%) = ANY %(ARRAY%['object', 'array'%]%)$", "json_type(%%s) in ('object', 'array')" },
}

local function without_casts(text)
  return (text:gsub("'(%-?[%d.e+]+)'::[%a ]+", "%1"):gsub("%((%-?[%d.e+]+)%)::[%a ]+", "%1")
    :gsub("%(\1%)::text", "\1"):gsub("::text", ""))
end

local function list_of(column, values)
  local out = {}
  for i, value in ipairs(values) do out[i] = Value.literal(value) end
  return ("%s in (%s)"):format(Name.quote(column.name), table.concat(out, ", "))
end

local function condition(sql, column)
  local values = Recall.own_check(sql, { name = column.name, word = "text" })
  if values then return list_of(column, values) end
  local text = without_casts(Recall.ready(sql, column.name))
  for _, each in ipairs(CONDITIONS) do
    local found = table.pack(text:match(each[1]))
    if found[1] then return each[2]:format(table.unpack(found)):format(Name.quote(column.name)) end
  end
  return sql
end

local function default(sql, known)
  local value = Recall.default(sql, known)
  if value == nil then return sql end
  if known.type == "decimal" and type(value) == "string" then return value end
  return Value.literal(value, known.type == "blob")
end

--- The picture, translated.
---@param picture rille.Picture
---@return rille.Picture
function M.translated(picture)
  local columns = {}
  for i, each in ipairs(picture.columns) do
    local known = Recall.type(each.type)
    local column = copy(each)
    column.checks, column.collate = {}, each.collate ~= "C" and each.collate or nil
    if known then
      known.word = known.type == "integer" and "integer" or known.word        -- all of them are bigint
      column.type = Ddl.type_of(known)
      column.default = each.default and default(each.default, known)
    end
    for at, sql in ipairs(each.checks) do column.checks[at] = condition(sql, each) end
    columns[i] = column
  end
  local translated = copy(picture)
  translated.columns = columns
  return translated
end

return M
