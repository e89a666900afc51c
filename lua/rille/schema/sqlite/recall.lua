--- sqlite.recall: the column words that a declared type, a default and a condition of SQLite came from.
local core = require "rille.core"
local Ddl = require "rille.schema.sqlite.ddl"
local Literal = require "rille.schema.literal"
local Name = require "rille.schema.name"

local M = {}

-- Declared type -> word and type of a blueprint's column.
local TYPES <const> = {
  INTEGER = { "integer", "integer" }, INT = { "integer", "integer" }, BIGINT = { "bigint", "integer" },
  DOUBLE = { "float", "real" }, REAL = { "float", "real" }, FLOAT = { "float", "real" },
  BOOLEAN = { "boolean", "boolean" }, DATE = { "date", "date" }, ["DATE TEXT"] = { "date", "date" },
  DATETIME = { "datetime", "datetime" }, ["DATETIME TEXT"] = { "datetime", "datetime" }, JSON = { "json", "json" },
  ["JSON TEXT"] = { "json", "json" }, BLOB = { "blob", "blob" }, ["UUID TEXT"] = { "uuid", "uuid" },
  UUID = { "uuid", "uuid" }, TEXT = { "text", "text" },
}

--- Word, type and measures of a declared type; nil where no word makes it.
---@param declared string
---@return { word: string, type: string, length: integer?, precision: integer?, scale: integer? }?
function M.type(declared)
  local upper = declared:upper():gsub("%s+", " ")
  local length = upper:match "^VARCHAR%((%d+)%)$"
  if length then return { word = "string", type = "text", length = math.tointeger(tonumber(length)) } end
  local precision, scale = upper:match "^DECIMAL[_TEX]*%((%d+), ?(%d+)%)$"
  if precision then
    return { word = "decimal", type = "decimal", precision = math.tointeger(tonumber(precision)),
      scale = math.tointeger(tonumber(scale)) }
  end
  local known = TYPES[upper]
  return known and { word = known[1], type = known[2] }
end

--- Does a default mean the moment of the insert?
---@param sql string
---@param column rille.BlueprintColumn
---@return boolean
function M.is_now(sql, column) return sql == Ddl.now(column) end

--- The value that a default is, as the words take it; nil where it is an expression.
---@param sql string
---@param column rille.BlueprintColumn
---@return any
function M.default(sql, column)
  local value = Literal.value(sql)
  if column.type == "boolean" and math.type(value) then return value ~= 0 end
  if column.type == "decimal" and value ~= nil and value ~= core.null then return sql:match "^'?(-?[%d.]+)'?$" end
  if column.type == "blob" and sql:find "^[xX]'%x*'$" then
    return (sql:sub(3, -2):gsub("%x%x", function(hex) return string.char(tonumber(hex, 16)) end))
  end
  return value
end

--- The values of an enum, where the condition says no more than that; true where it says what the type says anyway.
---@param sql string
---@param column rille.BlueprintColumn
---@return string[]|boolean
function M.own_check(sql, column)
  for _, nullable in ipairs { true, false } do          -- it may have become the other since
    local asked = setmetatable({ nullable = nullable }, { __index = column })
    if sql == Ddl.type_check(asked) then return true end
  end
  local prefix = Name.quote(column.name) .. " in ("
  if column.word ~= "text" or sql:sub(1, #prefix) ~= prefix or sql:sub(-1) ~= ")" then return false end
  return Literal.texts(sql:sub(#prefix + 1, -2)) or false
end

return M
