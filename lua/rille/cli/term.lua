--- term: what a command prints and where: results on stdout, all else on stderr, colour only where it is seen.

local Term = {}
Term.__index = Term

local CODES = { bold = "1", dim = "2", red = "31", green = "32", yellow = "33", cyan = "36" }

--- Is this file descriptor a terminal?  False where the console module is missing (a stock Lua).
---@param fd integer  0, 1 or 2
---@return boolean
local function is_terminal(fd)
  local ok, console = pcall(require, "rille.console")
  return ok and console.is_tty(fd) == true
end

--- May colour be used at all?  The wish of the user first, then the environment.
---@param choice "auto"|"always"|"never"
---@return boolean|nil  nil when it depends on the stream
local function colour_wish(choice)
  if choice == "always" then return true end
  if choice == "never" then return false end
  local kind, no_color = os.getenv "TERM", os.getenv "NO_COLOR"
  if kind == nil or kind == "" or kind == "dumb" or (no_color ~= nil and no_color ~= "") then return false end
  return nil
end

---@class rille.Term
---@field json boolean  the result is one JSON object
---@field color "auto"|"always"|"never"

--- The streams of one run of the program.
---@param streams? { out?: table, err?: table, input?: table, tty?: boolean }  the process's own where missing;
---  `tty` says whether given streams count as a terminal
---@return rille.Term
function Term.new(streams)
  streams = streams or {}
  return setmetatable({
    out = streams.out or io.stdout,
    err = streams.err or io.stderr,
    input = streams.input or io.stdin,
    json = false,
    color = "auto",
    _tty = streams.tty,
  }, Term)
end

--- Is this stream a terminal?
---@param stream "in"|"out"|"err"
---@return boolean
function Term:is_tty(stream)
  if self._tty ~= nil then return self._tty end
  return is_terminal(stream == "in" and 0 or stream == "out" and 1 or 2)
end

--- Is somebody there who can answer a question?
---@return boolean
function Term:is_interactive()
  return self:is_tty "in" and self:is_tty "err"
end

--- The text in a colour, or as it is where colour would not be seen.
---@param stream "out"|"err"
---@param style string  names of CODES, separated by blanks
---@param text string
---@return string
function Term:paint(stream, style, text)
  local wish = colour_wish(self.color)
  if wish == nil then wish = self:is_tty(stream) end
  if not wish or text == "" then return text end
  local codes = {}
  for name in style:gmatch "%S+" do codes[#codes + 1] = CODES[name] end
  return "\27[" .. table.concat(codes, ";") .. "m" .. text .. "\27[0m"
end

--- The cursor where a new line begins, and what was begun wiped away or kept.
local function finish(self, keep)
  if not self._begun then return end
  self.err:write(keep and "\n" or "\r\27[K")
  self._begun = false
end

--- Begin a line on a terminal that a later one takes the place of; elsewhere nothing.
---@param text string
function Term:begin(text)
  if self.json or not self:is_tty "err" then return end
  finish(self, false)
  self.err:write(text)
  if self.err.flush then self.err:flush() end
  self._begun = true
end

--- Keep what was begun: its end will not come.
function Term:settle() finish(self, true) end

--- A line of the result.
---@param text string
function Term:line(text)
  self:settle()
  self.out:write(text, "\n")
end

--- A line beside the result: progress, advice.
---@param text string
function Term:note(text)
  finish(self, false)
  if self.out.flush then self.out:flush() end              -- both may end in one file: in the order they were written
  self.err:write(text, "\n")
end

--- The result: one JSON object when `--json` was given, else what `human` prints.
---@param data table  `ok` is added: the status is 0
---@param human fun()
---@param status? integer  what the command ends with; 0 when absent
---@return integer? status  as given
function Term:report(data, human, status)
  if self.json then
    data.ok = (status or 0) == 0
    self:object(data)
  else
    human()
  end
  return status
end

--- One JSON object on stdout.
---@param data table
function Term:object(data)
  local order = { "ok", "command", "error", "kind", "message", "hint", "name", "state", "batch", "applied_at" }
  self.out:write(require "dkjson".encode(data, { keyorder = order }), "\n")
end

--- Ask on stderr; nil at the end of input.
---@param question string
---@return string|nil answer
function Term:ask(question)
  self.err:write(question)
  if self.err.flush then self.err:flush() end
  return self.input:read "l"
end

return Term
