--- tenant.apart: a column says whose a row is only where the database tells any two ids apart by it.
local Error = require "rille.error"
local Name = require "rille.schema.name"

local M = {}

-- Of these the core takes no text that could be written in two ways.
local NEVER_ALIKE <const> = { integer = true, uuid = true }

--- By what different ids in a tenant's column are equal for the database: "the collation NOCASE"; nil where none are.
---@param handle rille.Handle
---@param description table  of the table or view, as handle:describe gives it
---@param name string        of the column
---@param cast? string       the type that stands in for the column's own
---@return string? alike
function M.alike(handle, description, name, cast)
  for _, column in ipairs(description.columns) do
    if Name.same(column.name, name) then
      if NEVER_ALIKE[column.type] and NEVER_ALIKE[cast or column.type] then return nil end
      return handle:engine().alike(handle, description, column)
    end
  end
end

--- Why such a column does not keep tenants apart, and what to do.
---@param place string  of the column
---@param alike string
---@return string message
---@return string hint
function M.words(place, alike)
  return ("%s cannot say whose a row is: by %s different ids are equal, and two tenants would be one"):format(place,
    alike), "let it be compared by its bytes (text or varchar, collate binary on SQLite, collate \"C\" on PostgreSQL), "
    .. "or make it a uuid or an integer"
end

--- Raise for a tenant's column that does not keep tenants apart.
---@param handle rille.Handle
---@param description table
---@param name string
---@param model? string
---@param cast? string
function M.check(handle, description, name, model, cast)
  local alike = M.alike(handle, description, name, cast)
  if not alike then return end
  local message, hint = M.words(("%s.%s"):format(description.name, name), alike)
  if model then message = ("model %s: %s"):format(model, message) end
  Error.raise("unsupported", message, { model = model, table = description.name, column = name, hint = hint })
end

return M
