--- root: where a spec has its databases, and an end for all that was opened there.
local M = {}

--- A path at which nothing is.
---@return string
function M.new()
  local path = os.tmpname()
  os.remove(path)
  return path
end

--- Close every database, forget what was configured, and remove what is at the path.
---@param path string
function M.leave(path)
  require "rille".close()
  os.execute("rm -rf '" .. path .. "'")
  require "rille.config".clear()
end

return M
