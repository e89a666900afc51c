--- refused: what a call raises, which must be an error of rille; the spec fails where it raises nothing or another.
local Error = require "rille.error"
local assert = require "luassert"

---@param fn function
---@return rille.Error
return function(fn, ...)
  local ok, e = pcall(fn, ...)
  assert.is_false(ok, "nothing was raised")
  assert.is_true(Error.is(e), tostring(e))
  return e
end
