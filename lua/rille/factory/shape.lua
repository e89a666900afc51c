--- factory.shape: which attributes a factory may set, and which of them say the same; found once for a model's table.
local sorted_keys = require "rille.keys"

local M = {}

---@class rille.FactoryShape
---@field open table<string, boolean>       what may be set: everything but the lock
---@field rivals table<string, string[]>    name -> the others that say the same; what is said later counts
---@field same table<string, string>        relation -> the one column that decides it
---@field by_column table<string, string>   and back; of several relations the first

--- The columns of the model that decide a relation; none for relations that other tables decide.
local function columns_of(name, relation)
  if relation.kind == "belongs_to" then return relation.options.foreign_key or { name .. "_id" } end
  if relation.kind == "morph_to" then
    local morph = relation.options.name or name
    return { morph .. "_id", morph .. "_type" }
  end
  return {}
end

local function look_up(def, info)
  local shape = { open = {}, rivals = {}, same = {}, by_column = {} }
  for name in next, info.assignable do shape.open[name] = name ~= def.lock_column end
  local function add(from, to)
    shape.rivals[from] = shape.rivals[from] or {}
    table.insert(shape.rivals[from], to)
  end
  for _, name in ipairs(sorted_keys(def.relations)) do
    local columns = columns_of(name, def.relations[name])
    for _, column in ipairs(columns) do
      add(name, column)
      add(column, name)
    end
    if #columns == 1 then
      shape.same[name], shape.by_column[columns[1]] = columns[1], shape.by_column[columns[1]] or name
    end
  end
  return shape
end

--- What is known of the model's attributes.
---@param info table  of the model
---@return rille.FactoryShape
function M.of(info)
  if not info.factory_shape then info.factory_shape = look_up(info.class._def, info) end
  return info.factory_shape
end

return M
