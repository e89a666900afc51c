--- index: which rows an index of a blueprint covers.
local core = require "rille.core"
local Name = require "rille.schema.name"

local M = {}

--- A condition given as a table: every column has its value.
local function condition(where, literal)
  if type(where) == "string" then return where end
  local names, out = {}, {}
  for name in pairs(where) do names[#names + 1] = Name.check("where", name) end
  table.sort(names)
  for i, name in ipairs(names) do
    local value = where[name]
    out[i] = Name.quote(name) .. (value == core.null and " is null" or " = " .. literal(value))
  end
  return table.concat(out, " and ")
end

--- The condition of an index as SQL; nil when it covers all rows.
---@param index rille.BlueprintIndex
---@param literal fun(value: any): string  how the database writes a value
---@return string?
function M.covered_rows(index, literal)
  local said = index.where and condition(index.where, literal)
  if not index.trashed then return said end
  local live = Name.quote(index.trashed) .. " is null"
  return said and ("(%s) and %s"):format(said, live) or live
end

return M
