--- plain: an object as what can cross to C: records and lists of them as tables, a query as its result, null as nil.
local core = require "rille.core"

---@param value any  a userdata, or a table whose metatable has __index
---@return any
return function(value)
  if value == core.null then return nil end
  if core.is_record(value) then return value:to_table() end
  if require "rille.query".is_query(value) then value = value:all() end
  if getmetatable(value) == require "rille.list" then return value:to_table() end
  return value
end
