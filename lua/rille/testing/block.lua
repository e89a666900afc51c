--- testing.block: busted's words for the block of a spec that is being read.
local Error = require "rille.error"

local M = {}

--- The environment of the nearest function on the stack that has one of its own: busted gives every spec one.
local function environment()
  local level = 3
  local info = debug.getinfo(level, "f")
  while info do
    local i, name, value = 1, debug.getupvalue(info.func, 1)
    while name and name ~= "_ENV" do
      i = i + 1
      name, value = debug.getupvalue(info.func, i)
    end
    if name and value ~= _G and type(value) == "table" and value.before_each then return value end
    level = level + 1
    info = debug.getinfo(level, "f")
  end
end

--- before_each and its like, as the block has them; busted raises where a test calls them.
---@param where string  what was called, for messages
---@return { setup: function, teardown: function, before_each: function, after_each: function }
function M.words(where)
  local env = environment()
  if env then return env end
  return Error.raise("invalid_argument", where .. ": belongs into a spec that busted reads", {
    hint = "testing.rolled_back(fn) works anywhere",
  })
end

return M
