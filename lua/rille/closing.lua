--- closing: what is to be done when a block ends, however it does: `local done <close> = closing(fn)`.
local Closing = { __close = function(self) self.fn(self.argument) end }

--- Calls `fn`, with `argument`, when it is closed.
---@generic T
---@param fn fun(argument: T)
---@param argument T?
---@return table closed  for a variable that is <close>
return function(fn, argument) return setmetatable({ fn = fn, argument = argument }, Closing) end
