--- unique: which unique index some columns mean, by the description of their table.
local M = {}

--- Are these the same names, in whatever order?
---@param a string[]
---@param b string[]
---@return boolean
function M.same_names(a, b)
  if #a ~= #b then return false end
  local set = {}
  for _, name in ipairs(a) do set[name] = true end
  for _, name in ipairs(b) do
    if not set[name] then return false end
  end
  return true
end

--- The primary key or the unique index over just these columns: one that covers all rows before one that covers some.
---@param description table  of the table, as db:describe gives it
---@param columns string[]
---@return { columns: string[], name: string?, partial: boolean?, sql: string? }?
function M.index(description, columns)
  if M.same_names(description.primary, columns) then return { columns = description.primary } end
  local found
  for _, index in ipairs(description.indexes) do
    if index.unique and not index.expressions and M.same_names(index.columns, columns) then
      if not index.partial then return index end
      found = found or index
    end
  end
  return found
end

--- The columns of every unique index of a table, as a person would name them: "email", "org_id, slug".
---@param description table
---@return string[]
function M.names(description)
  local names = {}
  if #description.primary > 0 then names[1] = table.concat(description.primary, ", ") end
  for _, index in ipairs(description.indexes) do
    if index.unique and not index.expressions and index.origin ~= "pk" then
      names[#names + 1] = table.concat(index.columns, ", ")
    end
  end
  return names
end

return M
