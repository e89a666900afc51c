--- tenancy.draw: random choices that a number repeats, whatever else draws in between.
local M = {}

---@class tenancy.Draw  called with n it gives a whole number from 1 to n
local Draw = {}
Draw.__index = Draw

function Draw:__call(n)
  self.state = self.state * 6364136223846793005 + 1442695040888963407
  return (self.state >> 33) % n + 1
end

--- One of a list; nil of an empty one.
function Draw:pick(list) return #list > 0 and list[self(#list)] or nil end

--- True in so many of a hundred cases.
function Draw:chance(percent) return self(100) <= percent end

--- Choices that the same numbers repeat.
---@param ... integer
---@return tenancy.Draw
function M.new(...)
  local draw = setmetatable({ state = 0 }, Draw)
  for _, number in ipairs { ... } do
    draw.state = draw.state ~ number
    for _ = 1, 3 do draw(2) end
  end
  return draw
end

return M
