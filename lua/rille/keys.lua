--- keys: the keys of a table, sorted: `pairs` gives them in another order every time.

--- The keys of a map, in order; none for nil.
---@param map table<string, any>?
---@return string[]
return function(map)
  local keys = {}
  for key in next, map or {} do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end
