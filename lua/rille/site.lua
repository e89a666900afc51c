--- site: which database settings lead to, as a text, so that two that lead to the same one are known for it.
-- A file is told by what the file system knows it by, so that links and other ways to it are the same; a database at a
-- server by the texts that say where it is.
local core = require "rille.core"

local M = {}

-- Ways to the server of the machine itself.
local LOCAL <const> = { [""] = true, ["localhost"] = true, ["127.0.0.1"] = true, ["::1"] = true, ["[::1]"] = true }

--- A file, or one that is not there yet by the nearest folder that is.
---@param path string
---@return string
function M.of_file(path)
  local rest = ""
  while true do
    local found = core.file_identity(path)
    if found then return found .. rest end
    local folder, name = path:match "^(.*)/+([^/]*)$"
    if not folder then folder, name = ".", path end
    if folder == "" then folder = "/" end
    if name ~= "" and name ~= "." then rest = "/" .. name .. rest end
    if folder == path then return rest end
    path = folder
  end
end

--- A database at a server: one text never means two, but for servers of the machine itself at the same port.
local function of_server(settings)
  local Postgres = require "rille.handle.postgres"
  local host, rest = Postgres.server(settings):match "^(.-)(:[%d,]* .*)$"
  if LOCAL[host] or host:find "^/" then host = "localhost" end
  return ("%s%s/%s"):format(host:lower(), rest, Postgres.database(settings) or os.getenv "PGDATABASE" or "")
end

--- The database of settings; nil where it is nobody else's, as one in memory is.
---@param settings table  of a connection, as config.lua completes it
---@return string?
function M.of(settings)
  if settings.driver == "postgres" then return of_server(settings) end
  if settings.database ~= ":memory:" then return M.of_file(settings.database) end
end

--- The first connection of the configuration, by name, that leads to a database.
---@param site string?
---@return string? name
function M.connection(site)
  local connections = require "rille.config".current().connections
  for _, name in ipairs(site and require "rille.keys"(connections) or {}) do
    if M.of(connections[name]) == site then return name end
  end
end

return M
