--- grammar: LPeg patterns that are whole before anybody uses them.
-- LPeg compiles a pattern at its first match and grows the code as it goes.  When memory runs out there, the pattern
-- keeps what code it has, and its next match runs off the end of it.  So the first match is made here, where a pattern
-- that fails is dropped before it has a name.
local M = {}

--- Compiles a pattern, which is then safe to keep.
---@param pattern userdata  of LPeg
---@return userdata pattern  the same
function M.compile(pattern)
  local lpeg = require "lpeg"
  -- LPeg compiles first and then asks for its subject, which is not there.
  local _, problem = pcall(lpeg.match, pattern)
  if not tostring(problem):find("#2", 1, true) then error(problem, 0) end
  return pattern
end

return M
