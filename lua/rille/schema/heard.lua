--- heard: what a function says in the words of migrations, as source text, a line for each word of t.
local Say = require "rille.schema.say"

local M = {}

local function argument_text(value)
  if type(value) ~= "table" or getmetatable(value) ~= nil or value == require "rille.core".null then
    return Say.literal(value)
  end
  local out = {}
  for i = 1, #value do out[i] = argument_text(value[i]) end
  local beside = {}
  for key, each in next, value do
    if type(key) == "string" then beside[key] = each end
  end
  for _, key in ipairs(require "rille.keys"(beside)) do
    local name = key:find "^[%a_][%w_]*$" and key or ("[%q]"):format(key)
    out[#out + 1] = ("%s = %s"):format(name, argument_text(beside[key]))
  end
  return "{ " .. table.concat(out, ", ") .. " }"
end

local function call_text(word, ...)
  local arguments = table.pack(...)
  if arguments.n == 1 and type(arguments[1]) == "table" and arguments[1] ~= require "rille.core".null then
    return (":%s %s"):format(word, argument_text(arguments[1]))
  end
  for i = 1, arguments.n do arguments[i] = argument_text(arguments[i]) end
  return (":%s(%s)"):format(word, table.concat(arguments, ", "))
end

--- The lines of a function that was checked before: its words are those of table.lua.
---@param fn fun(t: rille.TableWords)
---@return string[]
function M.lines(fn)
  local lines = {}
  local function listener(line)
    return setmetatable({}, { __index = function(self, word)
      return function(_, ...)
        lines[line] = lines[line] .. call_text(word, ...)
        return self
      end
    end })
  end
  fn(setmetatable({}, { __index = function(_, word)
    return function(_, ...)
      lines[#lines + 1] = "t" .. call_text(word, ...)
      return listener(#lines)
    end
  end }))
  return lines
end

return M
