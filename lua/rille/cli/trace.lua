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

-- How our files appear in a traceback as text: "/somewhere/lua/rille/…", or ".../rille/…" where Lua cut a long path.
local IN_TEXT = OURS:sub(2)
local IN_CUT_TEXT = IN_TEXT:match "/[^/]+/$" or IN_TEXT

local function is_ours_in_text(frame)
  if frame:sub(1, 3) == "..." then return frame:find(IN_CUT_TEXT, 1, true) ~= nil end
  return frame:sub(1, #IN_TEXT) == IN_TEXT or frame:sub(1, #ENTRY) == ENTRY:sub(2) .. ":"
end

--- The same from a traceback that an error brought along, because it was caught and raised again on its way.
local function frames_of(traceback, skip)
  local lines = {}
  for frame in traceback:gmatch "\n\t([^\n]+)" do
    local is_call = frame:find "^[^%[(]" ~= nil and not frame:find "^%.%.%.\t"      -- not [C], not what was left out
    local source = "=" .. (frame:match "^[^:]*" or "")
    local what = frame:find "in main chunk$" and "main" or "Lua"
    local is_skipped = is_ours_in_text(frame) or skip and skip { source = source, what = what }
    if is_call and not is_skipped and #lines < MOST then
      lines[#lines + 1] = frame:gsub("in %a+ '%?'", "in a function")
    end
  end
  return lines
end

local function place_in(frame) return frame:match "^.-:%d+" end

--- The frames of the place that raised it first, then those of where it was raised again.
local function joined(first, again)
  if #again == 0 then return first end
  local all = {}
  for _, frame in ipairs(first) do
    if place_in(frame) == place_in(again[1]) then break end
    all[#all + 1] = frame
  end
  if #all == #first then all = table.move(first, 1, 1, 1, {}) end                -- nothing in common: its own place
  return table.move(again, 1, #again, #all + 1, all)
end

--- Call a function; what it raises comes back with the frames between here and there.
---@param skip? fun(frame: debuginfo): boolean  frames to leave out beside our own, by source and what
---@param fn function
---@param ... any  its arguments
---@return boolean ok
---@return any result  the first result, or a rille.Caught
function M.call(skip, fn, ...)
  local ok, result = xpcall(fn, function(value)
    return { value = value, frames = frames(2, M.call, skip) }
  end, ...)
  if ok then return true, result end
  if type(result) ~= "table" then return false, { value = result, frames = {} } end      -- no stack for the handler
  local kept = type(result.value) == "table" and rawget(result.value, "traceback")
  if type(kept) == "string" then result.frames = joined(frames_of(kept, skip), result.frames) end
  return false, result
end

return M
