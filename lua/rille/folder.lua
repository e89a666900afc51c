--- folder: what is in a folder, where one that cannot be read is not taken for an empty one.
local core = require "rille.core"
local Error = require "rille.error"

local M = {}

--- The names in a folder, in byte order; none where there is no such folder.
---@param path string
---@return string[]
function M.names(path)
  local names, why, is_missing = core.list_directory(path)
  if names then return names end
  if is_missing then return {} end
  Error.raise("connection_lost", "cannot read the folder " .. why, {
    file = path, hint = "may it be read, and has the process not run out of open files (ulimit -n)?",
  })
end

return M
