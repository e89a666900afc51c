--- literal: SQL literals, read.
local core = require "rille.core"

local M = {}

--- A quoted text at the beginning of SQL, and what is behind it; nil when there is none.
---@param sql string
---@return string? text
---@return string? rest
function M.text(sql)
  local quoted, rest = sql:match "^('[^']*')(.*)$"
  if not quoted then return nil end
  while rest:sub(1, 1) == "'" do
    local more, behind = rest:match "^('[^']*')(.*)$"
    if not more then return nil end
    quoted, rest = quoted .. more, behind
  end
  return (quoted:sub(2, -2):gsub("''", "'")), rest
end

--- The value of SQL that is a literal as a whole: a text, a number, true, false or NULL; nil for anything else.
---@param sql string
---@return any
function M.value(sql)
  local text, rest = M.text(sql)
  if text and rest == "" then return text end
  local lower = sql:lower()
  if lower == "null" then return core.null end
  if lower == "true" or lower == "false" then return lower == "true" end
  if sql:find "^-?[%d.]+[eE]?[+-]?%d*$" then return tonumber(sql) end
end

--- "'a', 'b'" -> { "a", "b" }; nil when it is something else.
---@param sql string
---@param cast? string  a pattern that may stand behind each
---@return string[]?
function M.texts(sql, cast)
  local texts = {}
  while true do
    local text, rest = M.text(sql)
    if not text then return nil end
    texts[#texts + 1] = text
    rest = cast and rest:gsub("^" .. cast, "") or rest
    if rest == "" then return texts end
    sql = rest:match "^, (.*)$"
    if not sql then return nil end
  end
end

return M
