--- version: of the program and of what it stands on.

local function versions()
  local core = require "rille.core"
  return {
    rille = require "rille.cli.host".version or require "rille"._VERSION,
    lua = _VERSION:match "%d.*$",
    sqlite = core.sqlite_version,
  }
end

local M = { summary = "show the version", json = true }

--- One line: "rille 0.1.0 (Lua 5.4, SQLite 3.40.1)".
---@return string
function M.text()
  local known = versions()
  local under = { "Lua " .. known.lua }
  if known.sqlite then under[2] = "SQLite " .. known.sqlite end
  return ("rille %s (%s)"):format(known.rille, table.concat(under, ", "))
end

function M.run(_, term)
  term:report(versions(), function() term:line(M.text()) end)
end

return M
