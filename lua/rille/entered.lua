--- entered: what a coroutine was in before each `enter` of tenants or sessions, so that `leave` goes back to it.
-- For programs in C, which have no block to leave: see rille_tenant_enter and rille_session_enter.
local Entered = {}
Entered.__index = Entered

---@class rille.Entered

--- A stack for each coroutine.
---@return rille.Entered
function Entered.new() return setmetatable({ of = setmetatable({}, { __mode = "k" }) }, Entered) end

--- Keep what was before.
---@param before any  not nil
function Entered:push(before)
  local co = coroutine.running()
  local stack = self.of[co] or {}
  stack[#stack + 1], self.of[co] = before, stack
end

--- What was kept last; nil for nothing.
---@return any before
function Entered:top()
  local stack = self.of[coroutine.running()]
  return stack and stack[#stack]
end

--- The same, which is kept no more.
---@return any before
function Entered:pop()
  local stack = self.of[coroutine.running()]
  return stack and table.remove(stack)
end

return Entered
