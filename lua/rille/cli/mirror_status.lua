--- mirror:status: how far mirrors are, and what they could not take.
local text = require "rille.cli.text"

local function line(status)
  local parts = {}
  for i, each in ipairs(status.mirrors) do
    local words = ("%s: lag %d"):format(text.escape(each.name), each.lag)
    if each.lag > 0 then words = words .. (" (%.1f s)"):format(each.lag_ms / 1000) end
    words = words .. (", failed %d"):format(each.failed)
    if each.differing then
      words = words .. (", differs in %s: see mirror:verify"):format(text.escape(table.concat(each.differing, ", ")))
    end
    if each.error then words = words .. ", " .. text.escape(each.error.message) end
    parts[i] = words
  end
  return table.concat(parts, "; ") .. (", skipped %d"):format(status.skipped)
end

--- Errors as objects, so that all of it is JSON.
local function is_failed(status)
  local failed = false
  for _, each in ipairs(status.mirrors or {}) do
    if each.error then
      each.error, failed = require "rille.cli.failure".object(each.error), true
    end
  end
  return failed
end

---@type rille.Command
return {
  summary = "show how far mirrors are, and what was set aside",
  details = "The exit status is 1 when a mirror cannot be asked.  "
    .. "Whether it differs is told by the last row of each table.",
  json = true,
  arguments = require "rille.cli.mirrors".arguments,
  run = function(args, term)
    return require "rille.cli.mirrors".each(args, term, "mirror_status", line, is_failed)
  end,
}
