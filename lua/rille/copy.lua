--- copy: a table with what another one holds; what it holds is not copied.

--- A new table with all of one, and then all of another; none for nil.
---@generic K, V
---@param map table<K, V>?
---@param over table<K, V>?  holds where both have a key
---@return table<K, V>
return function(map, over)
  local new = {}
  for key, value in next, map or {} do new[key] = value end
  for key, value in next, over or {} do new[key] = value end
  return new
end
