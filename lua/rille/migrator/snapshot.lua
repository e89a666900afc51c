--- snapshot: the schema of a database as texts, and how two of them differ.
local M = {}

--- "table posts" -> its normal text.
---@param handle rille.Handle
---@return table<string, string>
function M.take(handle) return require "rille.schema.engine".of(handle).snapshot(handle) end

--- What differs, in sentences.
---@param before table<string, string>
---@param after table<string, string>
---@return string[]
function M.compare(before, after)
  local differences = {}
  for what, text in pairs(before) do
    if not after[what] then
      differences[#differences + 1] = ("the %s is missing"):format(what)
    elseif after[what] ~= text then
      differences[#differences + 1] = ("the %s was %s and is %s"):format(what, text, after[what])
    end
  end
  for what in pairs(after) do
    if not before[what] then differences[#differences + 1] = ("the %s is still there"):format(what) end
  end
  table.sort(differences)
  return differences
end

return M
