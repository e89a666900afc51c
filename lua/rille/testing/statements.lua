--- testing.statements: the statements that a function sends.
local hook = require "rille.hook"

local M = {}

local Listening = { __close = function(self) self.stop() end }

--- Call a function and give what it sent, in order.
---@param fn function
---@param ... any  for fn
---@return { sql: string, params: any[], ms: number, rows: integer }[]
function M.heard(fn, ...)
  local heard = {}
  local stop = hook.on("query", function(info) heard[#heard + 1] = info end)
  local listening <close> = setmetatable({ stop = stop }, Listening)                     -- luacheck: ignore 211
  fn(...)
  return heard
end

return M
