--- trace: the calls that led to an error, less our own.
-- A person looks for the line of his file; frames of this library and of C only hide it.

local M = {}

local MOST = 15           -- frames shown; a recursion without end has thousands

-- Where our files are, as Lua names them: "@/somewhere/lua/rille/" or what the program calls its embedded copies.
local OURS = debug.getinfo(1, "S").source:match "^(.*)cli[/.]trace" or "@rille/"
local ENTRY = OURS:gsub("[/.]$", "") .. ".lua"

local function is_ours(source)
  return source:sub(1, #OURS) == OURS or source == ENTRY
end

--- Name of what runs in a frame, as Lua's own traceback has it.
local function describe(info)
  if info.what == "main" then return "in main chunk" end
  if info.name and info.name ~= "" then return ("in %s '%s'"):format(info.namewhat, info.name) end
  return ("in function <%s:%d>"):format(info.short_src, info.linedefined)
end

---@class rille.Caught
---@field value any        what was raised
---@field frames string[]  `post.lua:12: in method 'publish'`, innermost first; only those of the caller's files

--- Frames from `level` on, up to the call of `boundary`.
local function frames(level, boundary, skip)
  local lines, at = {}, level + 1
  local info = debug.getinfo(at, "Slnf")
  while info and info.func ~= boundary do
    if info.currentline > 0 and not is_ours(info.source) and not (skip and skip(info)) then
      lines[#lines + 1] = ("%s:%d: %s"):format(info.short_src, info.currentline, describe(info))
      if #lines == MOST then
        lines[#lines + 1] = "…"
        break
      end
    end
    at = at + 1
    info = debug.getinfo(at, "Slnf")
  end
  return lines
end

--- Call a function; what it raises comes back with the frames between here and there.
---@param skip? fun(frame: debuginfo): boolean  frames to leave out beside our own
---@param fn function
---@param ... any  its arguments
---@return boolean ok
---@return any result  the first result, or a rille.Caught
function M.call(skip, fn, ...)
  local ok, result = xpcall(fn, function(value)
    return { value = value, frames = frames(2, M.call, skip) }
  end, ...)
  if ok or type(result) == "table" then return ok, result end
  return false, { value = result, frames = {} }      -- no stack or memory was left for the handler
end

return M
