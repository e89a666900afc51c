--- failure: what went wrong in a migration or a seed, as an error that names the file and the line.
local Error = require "rille.error"

local M = {}

local KEPT_APART = { kind = true, message = true, traceback = true }

--- A message without the place that Lua wrote before it, and that line.
local function parts_of(path, message)
  local source, line, rest = message:match "^([^\n]-):(%d+): (.*)$"
  if source and Error.is_path(source, path) then return rest, math.tointeger(line) end
  return message, nil
end

--- The error to raise for one that came out of a file; the cause's own fields stay readable.
---@param path string
---@param what string  what failed: "up", "loading"
---@param cause any    what was raised
---@return rille.Error
function M.new(path, what, cause)
  local fields = { file = path, cause = cause, traceback = Error.traceback(cause) }
  local message
  if Error.is(cause) then
    message = cause.message
    for key, value in next, cause do
      if not KEPT_APART[key] then fields[key] = value end
    end
  else
    message, fields.line = parts_of(path, tostring(cause))
  end
  fields.line = fields.line or Error.line_of(path, fields.traceback)
  local place = fields.line and ("%s:%d"):format(path, fields.line) or path
  return Error.new("migration", ("%s: %s failed: %s"):format(place, what, message), fields)
end

--- Ctrl-C is no failure of a file: it goes on as the host raised it.
---@param cause any
---@return boolean
function M.is_interrupt(cause) return type(cause) == "table" and rawget(cause, "kind") == "interrupted" end

return M
