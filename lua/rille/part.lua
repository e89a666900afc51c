--- part: a module of rille that a version may lack.

--- The module, or `unsupported` when it is not there.  What goes wrong inside it stays what it is.
---@param module string  its name without "rille."
---@param word string    what was asked for, for the message: "rille.factory"
---@return any
return function(module, word)
  local path = "rille." .. module
  local ok, loaded = pcall(require, path)
  if ok then return loaded end
  if type(loaded) == "string" and loaded:find("module '" .. path .. "' not found", 1, true) == 1 then
    require "rille.error".raise("unsupported", word .. " is not part of this version")
  end
  error(loaded, 0)
end
