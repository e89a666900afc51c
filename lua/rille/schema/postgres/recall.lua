--- postgres.recall: the column words that a type, a default and a condition of PostgreSQL came from.
local core = require "rille.core"
local Literal = require "rille.schema.literal"
local Name = require "rille.schema.name"

local M = {}

-- Type as format_type writes it -> word and type of a blueprint's column.
local TYPES <const> = {
  bigint = { "bigint", "integer" }, integer = { "integer", "integer" }, smallint = { "integer", "integer" },
  ["double precision"] = { "float", "real" }, real = { "float", "real" }, boolean = { "boolean", "boolean" },
  date = { "date", "date" }, json = { "json", "json" }, jsonb = { "json", "json" }, bytea = { "blob", "blob" },
  uuid = { "uuid", "uuid" }, text = { "text", "text" }, ["character varying"] = { "text", "text" },
}

--- Word, type and measures of a type; nil where no word makes it.
---@param declared string
---@return { word: string, type: string, length: integer?, precision: integer?, scale: integer? }?
function M.type(declared)
  local length = declared:match "^character varying%((%d+)%)$"
  if length then return { word = "string", type = "text", length = math.tointeger(tonumber(length)) } end
  local precision, scale = declared:match "^numeric%((%d+),(%d+)%)$"
  if precision then
    return { word = "decimal", type = "decimal", precision = math.tointeger(tonumber(precision)),
      scale = math.tointeger(tonumber(scale)) }
  end
  if declared:find "^timestamp" then return { word = "datetime", type = "datetime" } end
  local known = TYPES[declared]
  return known and { word = known[1], type = known[2] }
end

local NOW <const> = { ["statement_timestamp()"] = "datetime", ["now()"] = "datetime",
  ["CURRENT_TIMESTAMP"] = "datetime",
  ["((statement_timestamp() AT TIME ZONE 'UTC'::text))::date"] = "date", ["CURRENT_DATE"] = "date" }

--- Does a default mean the moment of the insert?
---@param sql string
---@param column rille.BlueprintColumn
---@return boolean
function M.is_now(sql, column) return NOW[sql] == column.type end

--- A moment as PostgreSQL writes it, as the words take it.
local function moment(text)
  local day, time, fraction = text:match "^(%d+%-%d+%-%d+) (%d+:%d+:%d+)%.?(%d*)%+00$"
  return day and ("%sT%s%sZ"):format(day, time, fraction ~= "" and "." .. fraction or "")
end

--- The value that a default is, as the words take it; nil where it is an expression.
---@param sql string
---@param column rille.BlueprintColumn
---@return any
function M.default(sql, column)
  if sql:find "^NULL::" then return core.null end
  local text, rest = Literal.text(sql)
  local value = text and (rest == "" or rest:find "^::[%w ()]+$") and text or Literal.value(sql)
  if type(value) == "string" then
    if column.type == "datetime" then return moment(value) end
    if column.type == "integer" or column.type == "real" then return tonumber(value) end
    if column.type == "blob" then
      return value:find "^\\x%x*$" and (value:sub(3):gsub("%x%x", function(hex)
        return string.char(tonumber(hex, 16))
      end)) or nil
    end
  end
  if column.type == "decimal" and math.type(value) then return sql end
  return value
end

-- What stands for the column in a condition that was made ready.
M.COLUMN = "\1"

--- A condition without the parentheses around it, with a mark in the place of a column's name.
---@param sql string
---@param name string
---@return string
function M.ready(sql, name)
  local bare = sql:match "^%((.*)%)$" or sql
  local quoted = Name.quote(name):gsub("%W", "%%%0")
  local text = bare:gsub(quoted, M.COLUMN)
  return name:find "^[%l_][%l%d_]*$" and text:gsub("%f[%w_]" .. name .. "%f[^%w_]", M.COLUMN) or text
end

--- The values of an enum, where the condition says no more than that.
---@param sql string
---@param column rille.BlueprintColumn
---@return string[]|boolean
function M.own_check(sql, column)
  if column.word ~= "text" then return false end
  local text = M.ready(sql, column.name)
  local list = text:match("^" .. M.COLUMN .. " = ANY %(ARRAY%[(.*)%]%)$")
  if list then return Literal.texts(list, "::text") or false end
  local one = text:match("^" .. M.COLUMN .. " = ('.*')::text$")
  return one and Literal.texts(one) or false
end

return M
