--- saying_query: a query that is none; every call on it becomes text, so that a spec reads what a builder was told.
local relations = { author = true, comments = true }

local M = {}

local function show(value)
  if type(value) == "function" then return "(" .. value(M.new()).said .. ")" end
  if type(value) == "table" then
    local parts = {}
    for i, part in ipairs(value) do parts[i] = show(part) end
    return "{" .. table.concat(parts, " ") .. "}"
  end
  return type(value) == "string" and value or math.type(value) == "float" and ("%.1f"):format(value) or tostring(value)
end

local meta = {}

function meta.__index(_, method)
  return function(self, ...)
    local words = { method }
    for i = 1, select("#", ...) do words[i + 1] = show((select(i, ...))) end
    return M.new((self.said == "" and "" or self.said .. "; ") .. table.concat(words, " "))
  end
end

--- An immutable query; `said` is what it was told so far.  Relations are author and comments.
function M.new(said)
  return setmetatable({ said = said or "", has_relation = function(_, name) return relations[name] or false end }, meta)
end

return M
