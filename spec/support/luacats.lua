--- luacats: reads the files that an editor reads, and says what in them is no LuaCATS or names no class.
local lpeg = require "lpeg"
local P, R, S, V = lpeg.P, lpeg.R, lpeg.S, lpeg.V

local M = {}

local BUILT_IN = {}
for word in ([[any nil boolean string number integer table function true false osdate]]):gmatch "%a+" do
  BUILT_IN[word] = true
end

local space = S " " ^ 0
local function token(text) return P(text) * space end
local name = (R("az", "AZ") + "_") * (R("az", "AZ", "09") + S "_.") ^ 0
local key = (R("az", "AZ") + "_") * (R("az", "AZ", "09") + "_") ^ 0

-- A type, giving the names in it.
local grammar = P {
  "type",
  type = V "union",
  union = V "suffixed" * (token "|" * V "suffixed") ^ 0,
  suffixed = V "atom" * (P "[]" + "?") ^ 0 * space,
  atom = V "fn" + V "map" + V "shape" + V "group" + V "text" + lpeg.C(name) * space,
  text = P '"' * (1 - P '"') ^ 0 * '"' * space,
  group = token "(" * V "union" * token ")",
  map = token "table<" * V "union" * token "," * V "union" * token ">",
  shape = token "{" * (V "member" * (token "," * V "member") ^ 0) ^ -1 * token "}",
  member = key * P "?" ^ -1 * space * token ":" * V "union",
  fn = token "fun(" * (V "parameter" * (token "," * V "parameter") ^ 0) ^ -1 * token ")"
    * (token ":" * V "union" * (token "," * V "union") ^ 0) ^ -1,
  parameter = (P "..." + key * P "?" ^ -1) * space * token ":" * V "union",
}
-- Behind a type stands nothing, or a comment after two blanks; `fun(): a, b` may give several.
local field = lpeg.Ct(grammar) * (P(-1) + (1 - P "|" - "?") ^ 1)

--- The names that a file declares, those that it uses, and its fields: class -> field -> types.
---@param text string
---@return { declared: table<string, true>, used: table<string, string>, fields: table, wrong: string[] }
function M.read(text)
  local result = { declared = {}, used = {}, fields = {}, wrong = {} }
  local class
  local function types(line, written)
    local names = field:match(written)
    if not names then result.wrong[#result.wrong + 1] = line end
    for _, each in ipairs(names or {}) do result.used[each] = line end
  end
  for line in text:gmatch "[^\n]+" do
    local declared, parents = line:match "^%-%-%-@class ([%w_.]+) ?:? ?(.*)$"
    local alias, meant = line:match "^%-%-%-@alias ([%w_.]+) (.*)$"
    local member, type = line:match "^%-%-%-@field ([%w_]+%??) (.*)$"
    if not member then member, type = line:match "^%-%-%-@field (%[%a+%]) (.*)$" end
    if declared then
      class = declared
      result.declared[class], result.fields[class] = true, result.fields[class] or {}
      for parent in parents:gmatch "[^, ]+" do result.used[parent] = line end
    elseif alias then
      result.declared[alias] = true
      types(line, meant)
    elseif member then
      local of = result.fields[class][member] or {}
      of[#of + 1] = type:gsub("  .*$", "")
      result.fields[class][member] = of
      types(line, type)
    elseif line:find "^%-%-%-@" and not line:find "^%-%-%-@meta [%w_.]+$" then
      result.wrong[#result.wrong + 1] = line
    end
  end
  return result
end

--- What is wrong with files that belong together: lines that cannot be read, names that nobody declares.
---@param files table<string, string>  path -> text
---@return string[]
function M.problems(files)
  local declared, problems, read = {}, {}, {}
  for path, text in pairs(files) do
    read[path] = M.read(text)
    for each in pairs(read[path].declared) do declared[each] = true end
  end
  for path, result in pairs(read) do
    for _, line in ipairs(result.wrong) do problems[#problems + 1] = path .. ": " .. line end
    for each, line in pairs(result.used) do
      if not (declared[each] or BUILT_IN[each]) then
        problems[#problems + 1] = ("%s: nobody declares %s: %s"):format(path, each, line)
      end
    end
  end
  table.sort(problems)
  return problems
end

return M
