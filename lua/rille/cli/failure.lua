--- failure: an error as a person reads it on stderr, or a program as JSON.
local escape = require "rille.cli.text".escape

local M = {}

local SHOWN = { "kind", "message", "hint", "table", "column", "constraint", "model", "fields", "sql", "code", "file",
  "line" }

--- End the command because it was called wrongly: exit status 2.
---@param message string
---@param hint? string
function M.misuse(message, hint)
  require "rille.error".raise("invalid_argument", message, { hint = hint, status = 2 })
end

--- The message of any raised value.  A string keeps its position, a foreign table its __tostring.
---@param value any
---@return string
local function message_of(value)
  if type(value) == "table" and type(rawget(value, "message")) == "string" then return value.message end
  return tostring(value)
end

--- The error as one plain table for JSON.
---@param value any
---@return { kind: string, message: string, hint?: string }
function M.object(value)
  local out = { kind = "script", message = message_of(value) }
  if type(value) ~= "table" then return out end
  for _, name in ipairs(SHOWN) do
    local field = rawget(value, name)
    if field ~= nil and name ~= "message" then out[name] = field end
  end
  local cause = rawget(value, "cause")
  if cause ~= nil then out.cause = { kind = M.object(cause).kind, message = message_of(cause) } end
  return out
end

--- What was done before it failed, beside the error: the object that the command would have printed.
---@param value any
---@return table  not yet with the error
function M.done(value)
  local done = type(value) == "table" and rawget(value, "done")
  return type(done) == "table" and done or {}
end

--- The status a raised value asks for: 2 misused, else 1; 130 is what a shell expects after Ctrl-C.
---@param value any
---@return integer
function M.status(value)
  if type(value) == "table" and math.type(rawget(value, "status")) == "integer" then return value.status end
  return M.is_interrupt(value) and 130 or 1
end

--- Did Ctrl-C end it?  The host raises the text "interrupted".
---@param value any
---@return boolean
function M.is_interrupt(value)
  if type(value) == "table" then return rawget(value, "kind") == "interrupted" end
  return type(value) == "string" and value:match "interrupted$" ~= nil
end

local function indented(label, text)
  return "  " .. label .. ": " .. escape(text, true):gsub("\n", "\n    ")
end

--- The error in lines: what, the SQL it came from, what to do, where.
---@param value any
---@param frames? string[]  of trace.call; shown under the rest
---@param paint fun(style: string, text: string): string
---@return string
function M.text(value, frames, paint)
  if M.is_interrupt(value) then return "interrupted" end
  local lines = { paint("red bold", "error:") .. " " .. escape(message_of(value), true) }
  local details = type(value) == "table" and value or {}
  if type(rawget(details, "fields")) == "table" then
    local names = {}
    for name in pairs(details.fields) do names[#names + 1] = tostring(name) end
    table.sort(names)
    for _, name in ipairs(names) do
      local said = details.fields[name]
      lines[#lines + 1] = indented(name, type(said) == "table" and table.concat(said, "; ") or tostring(said))
    end
  end
  if type(rawget(details, "sql")) == "string" then lines[#lines + 1] = indented("sql", details.sql) end
  if type(rawget(details, "hint")) == "string" then
    lines[#lines + 1] = indented(paint("cyan", "hint"), details.hint)
  end
  if frames and #frames > 0 and not rawget(details, "status") then      -- misuse needs no traceback
    lines[#lines + 1] = paint("dim", "stack traceback:")
    for _, frame in ipairs(frames) do lines[#lines + 1] = paint("dim", "  " .. escape(frame)) end
  end
  return table.concat(lines, "\n")
end

return M
