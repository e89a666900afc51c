--- plain: an object as what can cross to C: records and lists as tables, a query as its result, null as nil.
local core = require "rille.core"

---@param value any  a userdata, or a table whose metatable has __index
---@return any
return function(value)
  if value == core.null then return nil end
  local type_of = require "rille.list".type
  local kind = type_of(value)
  if kind == "query" then return value:all():to_table() end
  if kind == "model" or kind == nil then return value end
  return value:to_table()
end
