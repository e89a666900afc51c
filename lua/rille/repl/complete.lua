--- complete: what Tab offers: globals, models, columns, methods; never runs a query or an accessor for it.
local values = require "rille.repl.values"

local M = {}

local MOST = 200            -- candidates; more help nobody

local KEYWORDS = { "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in",
  "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while" }

local CLOSES = { [")"] = "(", ["]"] = "[", ["}"] = "{" }

--- Where the expression that ends at `last` begins: names, dots, colons, calls and indices, read backwards.
---@param line string
---@param last integer
---@return integer first  last + 1 when there is none
local function start_of_chain(line, last)
  local at, depth = last, 0
  while at >= 1 do
    local char = line:sub(at, at)
    if char == '"' or char == "'" then                     -- a text: over it in one step
      local open = at - 1
      while open >= 1 and line:sub(open, open) ~= char do open = open - 1 end
      if open < 1 then break end
      at = open
    elseif CLOSES[char] then
      depth = depth + 1
    elseif char == "(" or char == "[" or char == "{" then
      if depth == 0 then break end
      depth = depth - 1
    elseif depth == 0 and not char:find "[%w_.:]" then
      local before = line:sub(1, at):match "^(.*[%w_)%]}])%s*$"  -- a blank before the argument of a call: where {…}
      if not (char == " " and before and line:sub(at + 1, at + 1):find "[{\"']") then break end
    end
    at = at - 1
  end
  return at + 1
end

--- The bracket inside which the line ends, and whether it ends inside a text.
---@param line string
---@return integer|nil open  position of the innermost open bracket
---@return boolean quoted
local function enclosing(line)
  local open, quote, at = {}, nil, 1
  while at <= #line do
    local char = line:sub(at, at)
    if quote then
      if char == "\\" then at = at + 1 elseif char == quote then quote = nil end
    elseif char == '"' or char == "'" then
      quote = char
    elseif char == "(" or char == "{" or char == "[" then
      open[#open + 1] = at
    elseif CLOSES[char] then
      open[#open] = nil
    end
    at = at + 1
  end
  return open[#open], quote ~= nil
end

--- A global as it is, or a model by its name, whose file is read; nil for what nobody knows.
local function global(env, name)
  local value = rawget(env, name)
  if value == nil then value = rawget(_G, name) end
  if value ~= nil then return value end
  for _, known in ipairs(values.model_names()) do
    if known == name then
      local ok, class = pcall(function() return env[name] end)
      return ok and class or nil
    end
  end
end

--- The value of `a.b.c` as far as it can be had without running anything; what a call returns is told by its model.
---@param env table
---@param chain string
---@return any value
---@return any class  the model whose query or record a call in the chain returns
local function resolve(env, chain)
  local head, rest = chain:match "^([%a_][%w_]*)(.*)$"
  if not head then return nil end
  local value = global(env, head)
  local class = values.class_of(value)
  if rest:find "[({\"'%[]" then return nil, class end
  for name in rest:gmatch "[.:]([%a_][%w_]*)" do
    if type(value) ~= "table" or values.class_of(value) then return nil, class end
    value = rawget(value, name)
  end
  return value, values.class_of(value)
end

--- Names that begin with the prefix, sorted, each once.
local function matching(names, prefix, head)
  local out, seen = {}, {}
  for _, name in ipairs(names) do
    if type(name) == "string" and name:find "^[%a_][%w_]*$" and name:sub(1, #prefix) == prefix and not seen[name] then
      seen[name] = true
      out[#out + 1] = head .. name
    end
  end
  table.sort(out)
  return table.move(out, 1, math.min(#out, MOST), 1, {})
end

local function append(names, more)
  return table.move(more, 1, #more, #names + 1, names)
end

local function globals(env)
  local names = append({ "rille" }, KEYWORDS)
  for name in next, env do names[#names + 1] = name end
  for name in next, _G do names[#names + 1] = name end
  return append(names, values.model_names())
end

--- Columns of the model whose call the line ends in: `Post:where("ti`, `Post:create { ti`.
local function columns_here(env, line, quoted)
  local open = enclosing(quoted and line:sub(1, -2) or line)
  while open do
    local last = #line:sub(1, open - 1):gsub("%s+$", "")
    local chain = line:sub(start_of_chain(line, last), last)
    if chain:find "[.:]" then
      local _, class = resolve(env, chain .. "(")
      if class then return values.columns(class) end
    end
    open = enclosing(line:sub(1, open - 1))
  end
  return {}
end

--- What a dot command may be, or what may follow it; nil when the line is none.
local function dotted(line)
  local word = line:match "^%s*%.(%a*)$"
  if word then
    local names = {}
    for i, name in ipairs(require "rille.repl.commands".names()) do names[i] = name:sub(2) end
    return matching(names, word, ""), word
  end
  local command, argument = line:match "^%s*(%.%a+)%s+([%w_]*)$"
  if command == ".sql" then return matching({ "on", "off" }, argument, ""), argument end
  if command == ".schema" then
    return matching(append(values.table_names(), values.model_names()), argument, ""), argument
  end
end

--- Candidates for the word at the end of the line, each the whole word.
---@param env table   globals of the REPL
---@param line string  up to the cursor
---@return string[] candidates
---@return string word  what they replace
function M.candidates(env, line)
  local offered, of_command = dotted(line)
  if offered then return offered, of_command end
  local _, in_text = enclosing(line)
  if in_text then
    local word = line:match "[%w_]*$"
    return matching(columns_here(env, line:sub(1, #line - #word), true), word, ""), word
  end
  local word = line:match "[%a_][%w_]*$" or ""
  local before = line:sub(1, #line - #word)
  local mark = before:match "[.:]$"
  if mark and not before:find "%.%.$" then
    local last = #before - 1
    local chain = before:sub(start_of_chain(before, last), last)
    local value, class = resolve(env, chain)
    return matching(values.members(value, class, mark, chain:find "[({]" ~= nil), word, ""), word
  end
  if word == "" then return {}, word end                  -- a pasted Tab is white space, not a question
  local names = globals(env)
  return matching(append(names, columns_here(env, before, false)), word, ""), word
end

return M
