--- kept: values by name, such as handles: one of a name while anybody holds it; those used last are held here.
-- What nobody uses is collected, so any number of names may pass.  Two generations, as in memo.lua.

local M = {}

---@class rille.Kept
---@field bound integer               names used last that are held: at least so many, at most twice as many
---@field all table<string, any>      whatever is still there, weakly
---@field young table<string, any>
---@field old table<string, any>
---@field count integer               of `young`
local Kept = {}
Kept.__index = Kept

---@param bound integer
---@return rille.Kept
function M.new(bound)
  return setmetatable({ bound = bound, all = setmetatable({}, { __mode = "v" }), young = {}, old = {}, count = 0 },
    Kept)
end

--- Hold the value of that name.
---@param name string
---@param value any
function Kept:put(name, value)
  if self.young[name] == nil then
    if self.count >= self.bound then self.young, self.old, self.count = {}, self.young, 0 end
    self.count = self.count + 1
  end
  self.young[name], self.all[name] = value, value
end

--- The value of that name, or nil.
---@param name string
---@return any
function Kept:get(name)
  local value = self.young[name]
  if value ~= nil then return value end
  value = self.all[name]
  if value ~= nil then self:put(name, value) end
  return value
end

--- Forget the value of that name.
---@param name string
function Kept:forget(name)
  if self.young[name] ~= nil then self.count = self.count - 1 end
  self.young[name], self.old[name], self.all[name] = nil, nil, nil
end

--- Forget all; gives them back by name.
---@return table<string, any>
function Kept:clear()
  local all = self.all
  self.all, self.young, self.old, self.count = setmetatable({}, { __mode = "v" }), {}, {}, 0
  return all
end

return M
