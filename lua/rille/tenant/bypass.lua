--- tenant.bypass: where scripts say that everybody's rows are meant: `without_tenant_scope`, `all_tenants` and
-- `tenant.outside`.
-- Read as Lua reads them: what stands in a comment or in the middle of a text is no call.
local Error = require "rille.error"

local M = {}

local WORDS <const> = { without_tenant_scope = true, all_tenants = true }

-- One that says it as a field alone: for others it is a word like any.
local FIELD <const> = "outside"

-- What may begin at a place, each with the pattern of its whole; a long bracket ends where its level says.
local QUOTED <const> = { ['"'] = true, ["'"] = true }

--- Behind the text that begins at `at` with a quote.
local function after_quoted(text, at)
  local quote, from = text:sub(at, at), at + 1
  while true do
    local found = text:find("[\\\n" .. quote .. "]", from)
    if not found then return #text + 1 end
    local mark = text:sub(found, found)
    if mark ~= "\\" then return found + 1 end
    from = found + 2                                       -- whatever is escaped, a quote or a line's end
  end
end

--- Behind the long bracket that begins at `at`; nil when none does.
local function after_long(text, at)
  local level = text:match("^%[(=*)%[", at)
  if not level then return nil end
  local _, last = text:find("]" .. level .. "]", at, true)
  return (last or #text) + 1
end

--- Is it one of the words, with `mark` right before it where it has to be a field?
local function is_bypass(text, at, word, mark)
  if word ~= FIELD then return WORDS[word] end
  return text:sub(math.max(1, at - 20), at - 1):find(mark) ~= nil
end

--- The places of the words in a script.
---@param text string
---@return { line: integer, word: string }[]
function M.scan(text)
  local found, at, line, counted = {}, 1, 1, 1
  local function note(word, place)
    line, counted = line + select(2, text:sub(counted, place - 1):gsub("\n", "")), place
    found[#found + 1] = { line = line, word = word }
  end
  while at <= #text do
    local mark = text:sub(at, at)
    local word = text:match("^[%a_][%w_]*", at)
    if word then
      if is_bypass(text, at, word, "[%w_%])]%s*%.%s*$") then note(word, at) end
      at = at + #word
    elseif text:sub(at, at + 1) == "--" then
      at = after_long(text, at + 2) or text:find("\n", at, true) or #text + 1
    elseif QUOTED[mark] then
      local behind = after_quoted(text, at)
      local whole = text:sub(at + 1, behind - 2)           -- Post["without_tenant_scope"] is a call, too
      if is_bypass(text, at, whole, "%[%s*$") then note(whole, at) end
      at = behind
    else
      at = after_long(text, at) or text:match("^[^%a_%-\"'%[]+()", at) or at + 1
    end
  end
  return found
end

local function read(path)
  local file <close> = io.open(path, "rb")
  return file and file:read "a"
end

--- Every Lua file of a path: itself, or those in the folder and in the folders below.
local function each_file(path, fn)
  local names = require "rille.core".list_directory(path)
  if not names then
    if read(path) == nil then
      Error.raise("not_found", ("there is no file or folder %s"):format(Error.quote(path)))
    end
    return fn(path)
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local whole = path .. "/" .. name
    if name:find "%.lua$" then
      fn(whole)
    elseif not name:find "^%." and require "rille.core".list_directory(whole) then
      each_file(whole, fn)
    end
  end
end

--- Where the scripts of some paths say that everybody's rows are meant.
---@param paths string[]  files and folders
---@return { file: string, line: integer, word: string }[]
function M.find(paths)
  local found, seen = {}, {}
  for _, path in ipairs(paths) do
    each_file(path, function(file)
      if seen[file] then return end
      seen[file] = true
      for _, each in ipairs(M.scan(read(file) or "")) do
        each.file = file
        found[#found + 1] = each
      end
    end)
  end
  return found
end

return M
