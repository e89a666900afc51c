--- testing.shown: values in the message of a failed test.
local core = require "rille.core"
local Error = require "rille.error"

local M = {}

--- One value, as it stands in a parameter or a row.
---@param value any
---@return string
function M.value(value)
  if value == nil or value == core.null then return "null" end
  if type(value) == "string" then return Error.quote(value) end
  return type(value) == "table" and Error.show(value) or tostring(value)
end

--- Values by their names, in the order of these.
---@param map table<string, any>
---@param names? string[]  all of them when absent
---@return string
function M.fields(map, names)
  local parts = {}
  for i, name in ipairs(names or require "rille.keys"(map)) do
    parts[i] = ("%s = %s"):format(name, M.value(map[name]))
  end
  return table.concat(parts, ", ")
end

--- Statements, each on a line with its parameters.
---@param list { sql: string, params: any[]? }[]
---@return string
function M.statements(list)
  local lines = {}
  for i, info in ipairs(list) do
    local params = {}
    for j, value in ipairs(info.params or {}) do params[j] = M.value(value) end
    lines[i] = ("  %d  %s  [%s]"):format(i, info.sql, table.concat(params, ", "))
  end
  return table.concat(lines, "\n")
end

return M
