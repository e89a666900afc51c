--- validate.pattern: is a text a Lua pattern?
-- Lua finds a mistake in a pattern only when a match gets as far; a declaration has to be right before any value comes.

local M = {}

local MAX_CAPTURES <const> = 32                -- LUA_MAXCAPTURES

--- Past the set that begins at `at` ("[…]"); nil when it does not end.
local function after_set(pattern, at)
  at = at + 1
  if pattern:sub(at, at) == "^" then at = at + 1 end
  repeat                                       -- a bracket that comes first is one of the set
    local char = pattern:sub(at, at)
    if char == "" then return nil end
    at = at + (char == "%" and 2 or 1)
  until pattern:sub(at, at) == "]"
  return at + 1
end

-- What follows a `%` and is more than one character: the place after it, or nil and what is wrong.
local LONG = {
  b = function(pattern, at)
    if #pattern < at + 3 then return nil, "two characters must follow %b" end
    return at + 4
  end,
  f = function(pattern, at)
    if pattern:sub(at + 2, at + 2) ~= "[" then return nil, "a set must follow %f" end
    return after_set(pattern, at + 2), "a set does not end: ] is missing"
  end,
}

local function back_reference(pattern, at, captures)
  local index = tonumber(pattern:sub(at + 1, at + 1))
  if captures[index] ~= "ended" then return nil, ("%%%d refers to no capture before it"):format(index) end
  return at + 2
end

-- The captures so far, each "open" or "ended"; the innermost that is open ends first.
local function end_capture(captures)
  for i = #captures, 1, -1 do
    if captures[i] == "open" then
      captures[i] = "ended"
      return true
    end
  end
end

--- Past the item at `at`, or nil and what is wrong.
local function after_item(pattern, at, captures)
  local char = pattern:sub(at, at)
  if char == "(" then
    if #captures == MAX_CAPTURES then return nil, "it has too many captures" end
    captures[#captures + 1] = "open"
  elseif char == ")" then
    if not end_capture(captures) then return nil, "a capture ends that did not begin" end
  elseif char == "[" then
    return after_set(pattern, at), "a set does not end: ] is missing"
  elseif char == "%" then
    local follows = pattern:sub(at + 1, at + 1)
    if follows == "" then return nil, "it ends with %" end
    if follows:find "%d" then return back_reference(pattern, at, captures) end
    if LONG[follows] then return LONG[follows](pattern, at) end
    return at + 2
  end
  return at + 1
end

--- What is wrong with a pattern; nil when nothing is.
---@param pattern string
---@return string? problem
function M.problem(pattern)
  local at, captures = pattern:sub(1, 1) == "^" and 2 or 1, {}
  while at <= #pattern do
    local after, problem = after_item(pattern, at, captures)
    if not after then return problem end
    at = after
  end
  for i = 1, #captures do
    if captures[i] == "open" then return "a capture does not end: ) is missing" end
  end
end

return M
