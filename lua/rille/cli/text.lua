--- text: how data may be put on a terminal: control characters shown, columns counted, long texts cut.

local M = {}

local NAMED = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

-- Code points that print nothing themselves but change what is seen around them.
local function is_hidden(code)
  return code < 0x20 or (code >= 0x7f and code < 0xa0)     -- C0, DEL, C1 (an escape sequence may start with U+009B)
    or (code >= 0x202a and code <= 0x202e)                 -- direction overrides
    or (code >= 0x2066 and code <= 0x2069)
    or code == 0x2028 or code == 0x2029 or code == 0xfeff
end

local function escape_byte(byte)
  return NAMED[byte] or ("\\x%02X"):format(byte:byte())
end

local function escape_code(char)
  local code = utf8.codepoint(char, 1, 1, true)
  if not is_hidden(code) then return nil end
  return code < 0x80 and escape_byte(char) or ("\\u{%X}"):format(code)
end

local function escape_but_lines(char)
  if char == "\n" or char == "\t" then return nil end
  return escape_code(char)
end

--- The text with nothing in it that a terminal would obey: control characters, escape sequences, direction
--- overrides and broken UTF-8 become visible escapes.
---@param text string
---@param lines? boolean  keep line ends and tabs
---@return string
function M.escape(text, lines)
  if not text:find "[^ -~]" then return text end
  local out, at = {}, 1
  while at <= #text do
    local _, bad = utf8.len(text, at)
    local good = text:sub(at, bad and bad - 1 or #text)
    out[#out + 1] = good:gsub(utf8.charpattern, lines and escape_but_lines or escape_code)
    if not bad then break end
    out[#out + 1] = escape_byte(text:sub(bad, bad))
    at = bad + 1
  end
  return table.concat(out)
end

--- Columns that the (escaped) text takes on a terminal.
---@param text string
---@return integer
function M.width(text)
  if not text:find "[\x80-\xff]" then return #text end
  local ok, console = pcall(require, "rille.console")
  local columns = ok and console.wcwidth and console.wcwidth(text)
  if columns and columns >= 0 then return columns end
  return utf8.len(text) or #text
end

--- The text in at most `columns` columns, with an ellipsis where something is missing.
---@param text string
---@param columns integer  at least 1
---@return string
function M.cut(text, columns)
  if M.width(text) <= columns then return text end
  local taken, out = 0, {}
  for char in text:gmatch(utf8.charpattern) do
    local wide = M.width(char)
    if taken + wide > columns - 1 then break end
    taken = taken + wide
    out[#out + 1] = char
  end
  return table.concat(out) .. "…"
end

--- The text filled up with blanks to `columns`.
---@param text string
---@param columns integer
---@param right? boolean  blanks before the text: for numbers
---@return string
function M.pad(text, columns, right)
  local blanks = (" "):rep(columns - M.width(text))
  return right and blanks .. text or text .. blanks
end

--- The text as one word of a shell; in quotes only where it needs them.
---@param text string
---@return string
function M.shell_word(text)
  if text:find "^[%w_./:=-]+$" then return text end
  return M.shell_quoted(text)
end

--- The text between single quotes, for any shell.
---@param text string
---@return string
function M.shell_quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- "1 row", "2 rows".
---@param count integer
---@param noun string
---@param plural? string
---@return string
function M.count(count, noun, plural)
  return ("%d %s"):format(count, count == 1 and noun or plural or noun .. "s")
end

return M
